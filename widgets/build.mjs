// Bundles the screens into circuitz/static. The result is committed, so that installing circuitz
// needs no Node; a rebuild from the same sources gives the same bytes.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const LIMIT = 300 * 1024;

const result = await build({
  absWorkingDir: here,
  entryPoints: [
    { in: "src/studio/studio.tsx", out: "studio" },
    { in: "src/theme.css", out: "studio" },
    { in: "src/labelling/labelling.tsx", out: "labelling" },
    { in: "src/labelling/labelling.css", out: "labelling" },
  ],
  outdir: "../circuitz/static",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8",
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  banner: { js: "/* circuitz, BSD-3-Clause; contains preact, MIT: see LICENSES.txt */" },
  metafile: true,
});

for (const [file, { bytes }] of Object.entries(result.metafile.outputs)) {
  console.log(`${file}: ${(bytes / 1024).toFixed(1)} KB`);
  if (bytes > LIMIT) {
    console.error(`${file} is larger than ${LIMIT / 1024} KB`);
    process.exitCode = 1;
  }
}

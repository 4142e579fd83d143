import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { environment: "jsdom", include: ["test/**/*.test.{ts,tsx}"], pool: "threads", setupFiles: ["test/set_up.ts"] },
});

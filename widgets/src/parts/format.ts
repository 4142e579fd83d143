/** Numbers and dates in words. */

export function share(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return `${Math.round(value * 100) + 0} %`.replace("-", "−");
}

/** A signed effect as a share of the whole cut's, the way findings put it. */
export function effect(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const percent = Math.round(value * 100);
  if (percent === 0) return "0 %";
  return `${percent < 0 ? "−" : "+"}${Math.abs(percent)} %`;
}

/** A signed score with two places and no leading zero. */
export function score(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const text = Math.abs(value).toFixed(2).replace(/^0/, "");
  if (text === ".00") return ".00";
  return `${value < 0 ? "−" : "+"}${text}`;
}

export function plain(value: number | null | undefined, digits = 2): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return value.toFixed(digits).replace(/^(-?)0\./, "$1.");
}

export function probability(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return value < 0.001 ? "< .001" : `= ${value.toFixed(3).replace(/^0/, "")}`;
}

/** `2 minutes ago` for today, the date otherwise. */
export function when(iso: string, now = new Date()): string {
  const then = new Date(iso);
  if (Number.isNaN(then.getTime())) return "";
  const minutes = Math.floor((now.getTime() - then.getTime()) / 60000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return iso.slice(0, 10);
}

/** A count, thousands apart. */
export function number(n: number): string {
  return n.toLocaleString("en");
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`;
}

/** Where a kind is not called by its own name. */
const FLAGGED: Record<string, string> = {
  "mislabelled-unit": "Mislabelled",
};

/** What a supported claim of each kind comes to: the name of the fault would read as one. */
const SUPPORTED: Record<string, string> = {
  "implausible-driver": "Drives within bounds",
  "mislabelled-unit": "Words fit",
  "mislabelled-edge": "Edge as described",
  "missing-support": "Parts contribute",
  "unexplained-effect": "Mostly explained",
  "inhibitory-shortcut": "Holds back within bounds",
  "split-shortcut": "No more than its words",
  bypass: "Little flows around",
  "unannotated-driver": "Drives within bounds",
  "polysemantic-unit": "Sees one thing",
  "redundant-annotation": "Words count",
  "stale-annotation": "Words still hold",
};

export function kindTitle(kind: string, verdict: string): string {
  const words = kind.replaceAll("-", " ");
  const fault = FLAGGED[kind] ?? words.charAt(0).toUpperCase() + words.slice(1);
  if (verdict === "supported") return SUPPORTED[kind] ?? fault;
  return verdict === "inconclusive" ? `${fault}?` : fault;
}

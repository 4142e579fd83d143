/** What was fetched from Python and is kept: details of units, evidence pictures. */

import type { Link } from "../link/link";
import type { Detail, LogEntry, Visual } from "./studio_payload";

export class Library {
  private details = new Map<string, Detail>();
  private pictures = new Map<string, string>();
  private asked = new Set<string>();

  constructor(
    private readonly link: Link,
    private readonly changed: () => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  close(): void {
    for (const url of this.pictures.values()) URL.revokeObjectURL(url);
  }

  forget(): void {
    this.details.clear();
  }

  detail(unit: string): Detail | undefined {
    return this.details.get(unit);
  }

  /** Takes in a detail that came along without being asked for. */
  keep(detail: Detail | null): void {
    if (detail && !this.details.has(detail.unit)) this.details.set(detail.unit, detail);
  }

  /** Fetches what the inspector needs, once a unit. */
  async ask(unit: string): Promise<void> {
    if (unit === "" || this.details.has(unit) || this.asked.has(unit)) return;
    this.asked.add(unit);
    try {
      const reply = await this.link.request("unit", { unit });
      this.details.set(unit, { ...(reply.detail as Detail), blobs: reply.blobs });
      this.changed();
    } catch (error) {
      this.failed(error);
    } finally {
      this.asked.delete(unit);
    }
  }

  /** After an edit a unit's pictures stay good but its history does not; others are asked anew. */
  async renew(current: string): Promise<void> {
    for (const unit of this.details.keys()) if (unit !== current) this.details.delete(unit);
    if (current === "") return;
    try {
      const reply = await this.link.request("history", { unit: current });
      const detail = this.details.get(current);
      if (!detail) return;
      this.details.set(current, { ...detail, history: reply.history as LogEntry[], visuals: (reply.visuals as Visual[] | undefined) ?? detail.visuals });
      this.changed();
    } catch (error) {
      this.failed(error);
    }
  }

  /** Address of an evidence picture; null until it has come. */
  picture(hash: string): string | null {
    const known = this.pictures.get(hash);
    if (known !== undefined) return known;
    const key = `picture ${hash}`;
    if (!this.asked.has(key)) {
      this.asked.add(key);
      this.link.request("picture", { hash }).then((reply) => {
        const bytes = reply.blobs.picture;
        if (!bytes) return;
        const blob = new Blob([bytes as DataView<ArrayBuffer>], { type: "image/png" });
        this.pictures.set(hash, URL.createObjectURL(blob));
        this.changed();
      }, this.failed);
    }
    return null;
  }
}

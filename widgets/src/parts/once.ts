/** What writes is done once: not again by the second click of a double-click, nor by a held key. */

const ONCE = "[data-once]";

function within(event: Event): boolean {
  return event.target instanceof Element && event.target.closest(ONCE) !== null;
}

/** Stops a click that is not the first of several quick ones on a button that is marked `data-once`. */
export function firstClickOnly(event: MouseEvent): void {
  if (event.detail < 2 || !within(event)) return;
  event.preventDefault();
  event.stopPropagation();
}

/** Whether a held key would press such a button, or send its form, again. */
export function pressesAgain(event: KeyboardEvent): boolean {
  return event.repeat && (event.key === "Enter" || event.key === " ") && within(event);
}

// Design tokens for what is drawn on a canvas.

/** Colours of the design tokens as a canvas needs them, for the theme that is shown now. */
export function tokenColours<Name extends string>(
  host: HTMLElement,
  names: readonly Name[],
): Record<Name, string> {
  const probe = document.createElement("span");
  probe.hidden = true;
  host.append(probe);
  const found = {} as Record<Name, string>;
  for (const name of names) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}

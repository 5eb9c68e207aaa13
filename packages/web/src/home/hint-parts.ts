/** Splits a requirement's hint into words and the commands in it, so that the page can offer each command for copying. */

export type HintPart = { kind: 'words' | 'command'; text: string };

const COMMAND = /^(?:sudo|apt(?:-get)?|dnf|npm|node|docker|podman|sysctl|export|VESTIBULE_\w+=)/;

/** Commands stand in backquotes, or after a colon, or are the whole hint. */
export function toHintParts(hint: string): HintPart[] {
  const trimmed = hint.trim();
  if (trimmed.includes('`')) {
    return trimmed
      .split('`')
      .map((text, index): HintPart => ({ kind: index % 2 === 1 ? 'command' : 'words', text: text.trim() }))
      .filter((part) => /\w/.test(part.text));
  }
  if (COMMAND.test(trimmed)) return [{ kind: 'command', text: trimmed }];
  const colon = trimmed.lastIndexOf(': ');
  const tail = trimmed.slice(colon + 2);
  if (colon < 0 || !COMMAND.test(tail)) return [{ kind: 'words', text: trimmed }];
  return [
    { kind: 'words', text: trimmed.slice(0, colon + 1) },
    { kind: 'command', text: tail },
  ];
}

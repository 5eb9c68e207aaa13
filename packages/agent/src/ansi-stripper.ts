/**
 * Removes terminal control sequences from text that arrives in pieces (ECMA-48: CSI, OSC and the other string sequences, two-character
 * escapes). A sequence cut by a chunk's end is still removed.
 */
export type AnsiStripper = (text: string) => string;

type State = 'text' | 'escape' | 'intermediate' | 'csi' | 'string' | 'string_escape';

const ESCAPE = '\u001b';
const BELL = '\u0007';
/** Characters after ESC that open a string which ends with BEL or ESC \. */
const STRING_OPENERS = new Set([']', 'P', 'X', '^', '_']);

export function createAnsiStripper(): AnsiStripper {
  let state: State = 'text';
  return (text) => {
    let clean = '';
    for (const character of text) {
      if (state === 'text' && character !== ESCAPE) clean += character;
      else state = advance(state, character);
    }
    return clean;
  };
}

function advance(state: State, character: string): State {
  switch (state) {
    case 'text':
      return 'escape';
    case 'escape':
      if (character === '[') return 'csi';
      if (STRING_OPENERS.has(character)) return 'string';
      return isBetween(character, '\u0020', '\u002f') ? 'intermediate' : 'text';
    case 'intermediate':
      return isBetween(character, '\u0020', '\u002f') ? 'intermediate' : 'text';
    case 'csi':
      return isBetween(character, '\u0040', '\u007e') ? 'text' : 'csi';
    case 'string':
      if (character === BELL) return 'text';
      return character === ESCAPE ? 'string_escape' : 'string';
    case 'string_escape':
      return character === '\\' ? 'text' : 'string';
  }
}

function isBetween(character: string, low: string, high: string): boolean {
  return character >= low && character <= high;
}

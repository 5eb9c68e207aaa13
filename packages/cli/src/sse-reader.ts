/** Server-sent events out of text as it comes in, in whatever pieces. Knows the format (WHATWG HTML, 9.2.6), not the connection. */

export type SseMessage = { id: string; event: string; data: string };

export class SseReader {
  #line = '';
  #endedWithCarriageReturn = false;
  #event = '';
  #data: string[] = [];
  #id = '';
  /** As asked for by the server; null when it did not. */
  retryMs: number | null = null;

  /** The messages that are complete now. */
  read(text: string): SseMessage[] {
    // A line end may be CR LF, torn apart between two pieces.
    const piece = this.#endedWithCarriageReturn && text.startsWith('\n') ? text.slice(1) : text;
    if (text !== '') this.#endedWithCarriageReturn = text.endsWith('\r');
    const lines = (this.#line + piece).split(/\r\n|\r|\n/);
    this.#line = lines.pop() ?? '';
    return lines.map((line) => this.#take(line)).filter((message) => message !== null);
  }

  #take(line: string): SseMessage | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch(): SseMessage | null {
    const message = { id: this.#id, event: this.#event || 'message', data: this.#data.join('\n') };
    const isEmpty = this.#data.length === 0;
    this.#event = '';
    this.#data = [];
    return isEmpty ? null : message;
  }
}

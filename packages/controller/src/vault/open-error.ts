/** The one failure of opening a sealed record: wrong key, wrong owner, changed bytes and wrong format are not told apart. */
export class OpenError extends Error {
  constructor() {
    super('the sealed record cannot be opened');
    this.name = 'OpenError';
  }
}

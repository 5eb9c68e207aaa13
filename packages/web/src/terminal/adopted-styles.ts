/**
 * Lets a library that writes `<style>` elements run under a policy that allows none: while `run` runs, each such element is a stand-in
 * whose text goes into a constructed style sheet of the document, to which `style-src` does not apply.
 */

/** An element that shows nothing and passes its text on. */
function toStandIn(element: HTMLElement, sheet: CSSStyleSheet): HTMLElement {
  Object.defineProperty(element, 'textContent', {
    get: () => '',
    set: (css: string) => {
      sheet.replaceSync(css);
    },
  });
  return element;
}

/** `run` must write its style elements before it returns; it may change their text later. Returns how to take the sheets away again. */
export function withAdoptedStyles(document: Document, run: () => void): () => void {
  const sheets: CSSStyleSheet[] = [];
  const createElement = document.createElement.bind(document);
  const create = (tag: string, options?: ElementCreationOptions): HTMLElement => {
    if (tag.toLowerCase() !== 'style') return createElement(tag, options);
    const sheet = new CSSStyleSheet();
    sheets.push(sheet);
    return toStandIn(createElement('template'), sheet);
  };
  Object.defineProperty(document, 'createElement', { value: create, configurable: true });
  try {
    run();
  } finally {
    Reflect.deleteProperty(document, 'createElement');
  }
  document.adoptedStyleSheets.push(...sheets);
  return () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((sheet) => !sheets.includes(sheet));
  };
}

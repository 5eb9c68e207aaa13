/** Opens a page and fills in one form after the other, as a browser without scripts would. Returns the last page's title. */
export async function fillIn(url: string, ...answers: Record<string, string>[]): Promise<{ title: string }> {
  let response = await fetch(url);
  let page = await response.text();
  for (const answer of answers) {
    const hidden = [...page.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const body = new URLSearchParams(Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value])));
    for (const [name, value] of Object.entries(answer)) body.set(name, value);
    const [, action = ''] = /<form method="post" action="([^"]+)"/.exec(page) ?? [];
    response = await fetch(new URL(action, response.url), { method: 'POST', body });
    page = await response.text();
  }
  return { title: /<title>(.*?)<\/title>/.exec(page)?.[1] ?? '' };
}

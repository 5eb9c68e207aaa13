/** A definition's longer text as paragraphs: files break their lines anywhere, pages where they are narrow. */

/** Blank lines part paragraphs; a line that begins an item of a list stays a line. */
export function toParagraphs(text: string): string[] {
  return text
    .trim()
    .split(/\n[ \t]*\n/)
    .map((paragraph) => paragraph.trim().replaceAll(/[ \t]*\n[ \t]*(?![-*•]\s|\d+[.)]\s)/g, ' '));
}

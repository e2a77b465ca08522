/** Text that is HTML already. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Html | undefined | false | readonly Value[];

/** HTML out of a template: whatever is put in is text, shown as it is written, unless it is Html. */
export const markup = (strings: TemplateStringsArray, ...values: readonly Value[]): Html =>
  new Html(strings.map((string, index) => string + textOf(values[index])).join(''));

function textOf(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'string') return escapeHtml(value);
  return typeof value === 'number' ? String(value) : value.map(textOf).join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML shows it. What no document may hold (control characters, halves of surrogate pairs) becomes U+FFFD. (HTML standard, 13.2.3.5.) */
const escapeHtml = (text: string): string =>
  text
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- these are what is looked for
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, '\u{fffd}')
    .replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');

/** Data inside a script element, which is no HTML: only a tag's beginning could end it. */
export const jsonOf = (data: unknown): Html => new Html(JSON.stringify(data).replaceAll('<', String.raw`\u003c`));

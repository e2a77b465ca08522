import { readJson, readRows } from './data.ts';

const PAGE_ROWS = 100;
/** Where a row's status and code stand among its cells. */
const STATUS = 1;
const CODE = 2;

type Row = readonly string[];

interface Found {
  readonly rows: readonly Row[];
  /** The first of them that is shown. */
  readonly from: number;
}

/** Shows the rows in pages of a hundred, filtered by what became of them and searched in every cell. */
export async function showRows(): Promise<void> {
  const place = document.getElementById('table');
  const columns = readJson<readonly string[]>('columns');
  if (!place || !columns) return;
  place.textContent = 'Reading the rows…';
  const rows = await readRows();
  if (rows.length === 0) return place.replaceChildren();

  const filter = createFilter(rows);
  const said = element('p', { role: 'status' });
  const body = element('tbody');
  const earlier = element('button', { type: 'button' }, 'Earlier rows');
  const later = element('button', { type: 'button' }, 'Later rows');
  const wrapper = element('div', { className: 'scroll', tabIndex: 0, role: 'region', ariaLabel: 'Rows' });
  wrapper.append(tableOf(columns, body));
  place.replaceChildren(filter.controls, said, wrapper, group(earlier, later));

  let found: Found = { rows, from: 0 };
  const show = (next: Found): void => {
    found = next;
    const shown = found.rows.slice(found.from, found.from + PAGE_ROWS);
    body.replaceChildren(...shown.map(rowOf));
    said.textContent = describe(found, rows.length);
    earlier.disabled = found.from === 0;
    later.disabled = found.from + PAGE_ROWS >= found.rows.length;
  };
  const turn = (by: number) => (): void => {
    show({ ...found, from: found.from + by });
    wrapper.scrollTop = 0;
  };
  earlier.addEventListener('click', turn(-PAGE_ROWS));
  later.addEventListener('click', turn(PAGE_ROWS));
  filter.onChange(() => show({ rows: rows.filter(filter.takes), from: 0 }));
  show(found);
}

function describe({ rows, from }: Found, all: number): string {
  if (rows.length === 0) return 'No row is like that.';
  const range = `${figure(from + 1)} to ${figure(Math.min(from + PAGE_ROWS, rows.length))}`;
  return `Rows ${range} of ${figure(rows.length)}${rows.length < all ? ` found among ${figure(all)}` : ''}.`;
}

const figure = (count: number): string => count.toLocaleString('en');

function createFilter(rows: readonly Row[]) {
  const status = choose('Status', new Set(rows.map((row) => row[STATUS] ?? '')));
  const code = choose('Code', new Set(rows.map((row) => row[CODE] ?? '')));
  const search = element('input', { type: 'search', autocomplete: 'off' });
  const wanted = (): string => search.value.trim().toLowerCase();
  return {
    controls: group(label('Status', status), label('Code', code), label('Search', search)),
    takes: (row: Row): boolean => {
      const text = wanted();
      if (status.value !== '' && row[STATUS] !== status.value) return false;
      if (code.value !== '' && row[CODE] !== code.value) return false;
      return text === '' || row.some((cell) => cell.toLowerCase().includes(text));
    },
    onChange: (then: () => void): void => {
      for (const control of [status, code, search]) control.addEventListener('input', then);
    },
  };
}

function choose(name: string, values: ReadonlySet<string>): HTMLSelectElement {
  const select = element('select');
  const any = element('option', { value: '' }, `Any ${name.toLowerCase()}`);
  const options = [...values].filter((value) => value !== '').toSorted();
  select.append(any, ...options.map((value) => element('option', { value }, value)));
  return select;
}

function tableOf(columns: readonly string[], body: HTMLElement): HTMLTableElement {
  const table = element('table');
  const head = element('thead');
  const names = element('tr');
  names.append(...columns.map((name) => element('th', { scope: 'col' }, name)));
  head.append(names);
  table.append(head, body);
  return table;
}

/** Cells are text and nothing else, each with a direction of its own. */
function rowOf(cells: Row): HTMLTableRowElement {
  const row = element('tr', { className: cells[STATUS] ?? '' });
  row.append(...cells.map((cell) => element('td', { dir: 'auto' }, cell)));
  return row;
}

function label(name: string, control: HTMLElement): HTMLLabelElement {
  const labelled = element('label', {}, `${name} `);
  labelled.append(control);
  return labelled;
}

function group(...parts: readonly HTMLElement[]): HTMLElement {
  const controls = element('div', { className: 'controls' });
  controls.append(...parts);
  return controls;
}

function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<HTMLElementTagNameMap[Name]> = {},
  text = '',
): HTMLElementTagNameMap[Name] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(text);
  return made;
}

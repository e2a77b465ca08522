import type { Change } from './operation.ts';

/** A change as a person reads it in the cells of a file: who, and only what differs. */
export type ReadableChange = Readonly<Record<keyof Change, string>>;

/** Puts a change into words; the same change always into the same ones. */
export const describeChange = ({ subject, before, after }: Change): ReadableChange => ({
  subject: describeFields(fieldsOf(subject)),
  before: describeFields(difference(before, after)),
  after: describeFields(difference(after, before)),
});

/** Puts a state into words. */
export const describeState = (state: unknown): string => describeFields(fieldsOf(state));

type Fields = readonly (readonly [string, unknown])[];

/** What is not known is not said. */
const fieldsOf = (state: unknown): Fields =>
  Object.entries(state ?? {}).filter(([, value]) => value !== undefined && value !== null);

function difference(state: unknown, other: unknown): Fields {
  const others = new Map(fieldsOf(other));
  return fieldsOf(state).filter(([name, value]) => describeValue(value) !== describeValue(others.get(name)));
}

const describeFields = (fields: Fields): string =>
  fields.map(([name, value]) => `${inWords(name)}: ${describeValue(value)}`).join('; ');

const inWords = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function describeValue(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(describeValue).join(', ');
  return JSON.stringify(value) ?? '';
}

import { RollcallError } from '../../../shared/errors.ts';

/** The template says something that the local stack cannot read. */
export class TemplateUnreadable extends RollcallError {
  readonly code = 'TEMPLATE_UNREADABLE';
  readonly temporary = false;
}

/** What references stand for: `Ref` of a resource, parameter or pseudo parameter, and `Fn::GetAtt`. */
export interface References {
  readonly ref: (name: string) => string;
  readonly attribute: (logicalId: string, attribute: string) => string;
}

/** Evaluates CloudFormation's intrinsic functions in a template value; throws TemplateUnreadable on one that is not known here. */
export function resolveIntrinsics(value: unknown, references: References): unknown {
  const resolve = (inner: unknown): unknown => resolveIntrinsics(inner, references);
  if (Array.isArray(value)) return value.map(resolve).filter((item) => item !== undefined);
  if (typeof value !== 'object' || value === null) return value;

  const entries = Object.entries(value);
  const [key, argument] = entries[0] ?? [];
  if (entries.length === 1 && key !== undefined && (key === 'Ref' || key.startsWith('Fn::'))) {
    return call(key, argument, references);
  }
  return Object.fromEntries(entries.map(([name, inner]) => [name, resolve(inner)]));
}

function call(name: string, argument: unknown, references: References): unknown {
  const resolve = (inner: unknown): unknown => resolveIntrinsics(inner, references);
  switch (name) {
    case 'Ref':
      return argument === 'AWS::NoValue' ? undefined : references.ref(text(argument, name));
    case 'Fn::GetAtt':
      return attributeOf(argument, references);
    case 'Fn::Join': {
      const [separator, parts] = list(argument, name);
      return list(resolve(parts), name).join(text(separator, name));
    }
    case 'Fn::Split': {
      const [separator, whole] = list(argument, name);
      return text(resolve(whole), name).split(text(separator, name));
    }
    case 'Fn::Select': {
      const [index, items] = list(argument, name);
      return select(Number(index), list(resolve(items), name));
    }
    case 'Fn::Sub':
      return substitute(argument, references);
    default:
      throw new TemplateUnreadable(
        `The template uses ${name}, which the local stack does not know. Write the value without it, or add it to local/aws/template/intrinsics.ts.`,
      );
  }
}

function select(index: number, items: readonly unknown[]): unknown {
  if (index in items) return items[index];
  throw new TemplateUnreadable(`Fn::Select asks for item ${index}, and the template gives ${JSON.stringify(items)}.`);
}

function attributeOf(argument: unknown, references: References): string {
  const [logicalId = '', ...attribute] =
    typeof argument === 'string' ? argument.split('.') : list(argument, 'Fn::GetAtt');
  return references.attribute(text(logicalId, 'Fn::GetAtt'), attribute.join('.'));
}

function substitute(argument: unknown, references: References): string {
  return text(argument, 'Fn::Sub').replace(/\$\{(!?)([^}]+)\}/g, (_whole, literal: string, name: string) => {
    if (literal) return `\${${name}}`;
    return name.includes('.') ? attributeOf(name, references) : references.ref(name);
  });
}

function text(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw new TemplateUnreadable(`${where} wants a text here, and the template gives ${JSON.stringify(value)}.`);
}

function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TemplateUnreadable(`${where} wants a list here, and the template gives ${JSON.stringify(value)}.`);
}

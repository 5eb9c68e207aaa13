/** Whether given files are a complete login of a provider, and what they say of themselves. Pure; its words never hold any of the content. */
import { MAX_CREDENTIAL_BYTES, type CredentialFiles } from '@vestibule/protocol/agent-messages';
import { findBlankField, toReferredFormat } from '@vestibule/protocol/credential-document';
import { findFacts, type CredentialFacts } from '@vestibule/protocol/credential-facts';
import type { CredentialSpec, FieldReference, ProviderDefinition } from '@vestibule/protocol/provider-definition';
import { parseDocument } from './credential-document.ts';
import { isCredentialFileSet, listCredentialSpecs } from './credential-files.ts';

export type LoginCheck = { ok: true; facts: CredentialFacts } | { ok: false; words: string };

export function checkLogin(definition: ProviderDefinition, files: CredentialFiles): LoginCheck {
  const contents = new Map(files.map(({ path, contentBase64 }) => [path, Buffer.from(contentBase64, 'base64')]));
  const bytes = [...contents.values()].reduce((sum, content) => sum + content.length, 0);
  if (bytes > MAX_CREDENTIAL_BYTES)
    return { ok: false, words: `The files together are larger than ${MAX_CREDENTIAL_BYTES / 1024} KiB.` };
  const paths = files.map(({ path }) => path);
  const specs = listCredentialSpecs(definition).filter((spec) => isCredentialFileSet(paths, [toPaths(spec)]));
  if (specs.length === 0) return { ok: false, words: toPathWords(definition, paths) };
  const faults = specs.map((spec) => findFault(spec, contents));
  const whole = specs.find((_, index) => faults[index] === null);
  if (whole === undefined) return { ok: false, words: [...new Set(faults)].join(' Or: ') };
  return { ok: true, facts: findFacts(whole, (reference) => findDocument(whole, contents, reference)) };
}

function toPaths({ files }: CredentialSpec): string[] {
  return files.map(({ path }) => path);
}

/** Names files of the definition alone: what was given is not repeated. */
function toPathWords({ name, credential }: ProviderDefinition, given: readonly string[]): string {
  const paths = toPaths(credential);
  const missing = paths.filter((path) => !given.includes(path));
  const whole = `A login of ${name} is exactly: ${paths.join(', ')}.`;
  if (missing.length > 0) return `${whole} Missing: ${missing.join(', ')}.`;
  return `${whole} Something else was given too, or a file twice.`;
}

function findFault({ files }: CredentialSpec, contents: ReadonlyMap<string, Buffer>): string | null {
  for (const spec of files) {
    const content = contents.get(spec.path);
    if (content === undefined) return `${spec.path} is missing.`;
    const document = findParsed(spec.format, content);
    if (document === undefined) return `${spec.path} is not a whole ${spec.format} document.`;
    const blank = findBlankField(spec, document);
    if (blank !== null)
      return spec.format === 'text' ? `${spec.path} is empty.` : `${spec.path} has no value for ${blank}.`;
  }
  return null;
}

function findDocument(
  { files }: CredentialSpec,
  contents: ReadonlyMap<string, Buffer>,
  reference: FieldReference,
): unknown {
  const content = contents.get(reference.file);
  return content === undefined ? undefined : findParsed(toReferredFormat(reference, files), content);
}

/** `undefined` when the bytes are not a whole document of that format. */
function findParsed(format: CredentialSpec['files'][number]['format'], content: Buffer): unknown {
  try {
    return parseDocument(format, content);
  } catch {
    return undefined;
  }
}

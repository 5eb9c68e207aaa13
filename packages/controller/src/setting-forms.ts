/** The forms a setting's text may have, each with the words for one that has another. */
import { isIP, isIPv4 } from 'node:net';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { isLoopbackHost } from './loopback-host.ts';

export const text = z.string().min(1);

export function wholeNumber(min: number, max: number) {
  const error = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, error).max(max, error));
}

export const seconds = (min: number) => wholeNumber(min, 86_400).transform((value) => value * 1000);
export const flag = z.enum(['0', '1'], 'must be 0 or 1').transform((value) => value === '1');

export const host = text.regex(/^[\w.:-]+$/, 'must be an address or a host name, without scheme and port');

export const origin = z.string().transform((value, context) => {
  const url = URL.canParse(value) ? new URL(value) : null;
  const bare = url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  if (url !== null && bare && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))))
    return url.origin;
  context.addIssue({
    code: 'custom',
    message: 'must be an https origin such as https://vestibule.example.org, or http on the loopback',
  });
  return z.NEVER;
});

export const addresses = z
  .string()
  .transform(splitList)
  .refine((list) => list.every((address) => isIP(address) !== 0), 'must be addresses separated by commas');

export const databaseUrl = z
  .string()
  .refine((value) => /^postgres(ql)?:\/\//.test(value) && URL.canParse(value), 'must begin with postgresql://');

export const token = z.string().regex(/^[\w-]{32,200}$/, 'must be 32 to 200 letters, digits, - or _');

export const path = text.refine(isAbsolute, 'must be an absolute path');

/** A number with at most two decimals. */
export function decimal(min: number, max: number) {
  const error = `must be a number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,4}(?:\.\d{1,2})?$/, { error, abort: true })
    .transform(Number)
    .pipe(z.number().min(min, error).max(max, error));
}

/** Networks of IPv4 in CIDR form; an address alone is a network of one. */
export const ipv4Networks = z
  .string()
  .transform(splitList)
  .refine((list) => list.every(isIpv4Network), 'must be IPv4 networks such as 10.1.2.0/24, separated by commas');

export const proxy = z.string().transform((value, context) => {
  const match = /^http:\/\/([\w.-]+):(\d{1,5})\/?$/.exec(value);
  const [, name = '', port = ''] = match ?? [];
  if (match !== null && Number(port) > 0 && Number(port) <= 65_535) return { host: name, port: Number(port) };
  context.addIssue({ code: 'custom', message: 'must be http://host:port, without a user or a path' });
  return z.NEVER;
});

/** A name that the container engine knows, or a path. */
export const ociRuntime = text.regex(/^[\w./-]+$/, 'must be the name or the path of an OCI runtime');

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function isIpv4Network(value: string): boolean {
  const [address = '', prefix = '32', ...rest] = value.split('/');
  return isIPv4(address) && /^\d{1,2}$/.test(prefix) && Number(prefix) <= 32 && rest.length === 0;
}

/** Everybody whose CLI can sign in here, and the names of all their hosts. */
import type { Vendor } from './vendor.ts';
import { anthropic } from './vendors/anthropic.ts';
import { cloudflare } from './vendors/cloudflare.ts';
import { github } from './vendors/github.ts';
import { google } from './vendors/google.ts';
import { npm } from './vendors/npm.ts';
import { openai } from './vendors/openai.ts';

export const VENDORS: readonly Vendor[] = [anthropic, cloudflare, github, google, npm, openai];
export const VENDOR_HOSTS: readonly string[] = VENDORS.flatMap(({ hosts }) => hosts);

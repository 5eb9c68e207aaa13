/** What an image is made of, read from `images/recipe.json`: data only, every problem of it told at once. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

const packageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/);
/** From the root of the image; `*` stands for anything within one name, and at the end for everything below. */
const treePattern = z.string().regex(/^\/(?!.*\.\.)[\w@:+.*/-]+$/);

const recipeSchema = z.strictObject({
  /** As Debian names it. */
  architecture: z.literal('amd64'),
  suite: z.string().regex(/^[a-z]+$/),
  /** Used where this machine's own apt sources name no mirror of the suite. */
  mirrors: z.strictObject({ main: z.url(), security: z.url() }),
  /** No file of an image is younger: the same packages make the same image on any day. */
  epoch: z.iso.datetime(),
  /** Each with the reason why it is there. */
  packages: z.record(packageName, z.string().min(1)),
  kernel: packageName,
  node: z.strictObject({
    package: z.string().min(1),
    version: z.string().regex(/^\d+\.\d+\.\d+$/),
    /** Of the registry's archive, as npm writes it. */
    integrity: z.string().regex(/^sha512-[\w+/]+=*$/),
  }),
  /** Never unpacked. */
  leftOut: z.array(treePattern),
  /** Needed while packages are set up, and removed then. */
  removed: z.array(treePattern),
  /** The only programs that keep the set-user-ID bit. */
  privileged: z.array(treePattern),
});
export type Recipe = z.infer<typeof recipeSchema>;

/** Throws with every problem of the file. */
export async function loadRecipe(path: string): Promise<Recipe> {
  const result = recipeSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => `\n  ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The recipe ${path} cannot be used:${problems.join('')}`);
}

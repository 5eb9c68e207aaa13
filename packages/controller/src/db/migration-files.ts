/** Reads the numbered, append-only migrations `NNNN_name.sql` of a folder. */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export type Migration = {
  number: number;
  name: string;
  sql: string;
  /** Of the text with line feeds only: a checkout with CRLF is the same migration. */
  sha256: string;
};

export class MigrationError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'MigrationError';
  }
}

async function readMigration(folder: string, file: string): Promise<Migration> {
  const found = /^(\d{4})_([a-z][a-z0-9_]*)\.sql$/.exec(file);
  if (found === null)
    throw new MigrationError(`${join(folder, file)} is no migration: name it NNNN_words_like_this.sql.`);
  const [, number = '', name = ''] = found;
  const sql = (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n');
  return { number: Number(number), name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
}

/** In order; numbers begin with 0001 and leave no gap, so that two branches cannot both add the same one unnoticed. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).toSorted();
  const migrations = await Promise.all(files.map((file) => readMigration(folder, file)));
  for (const [index, migration] of migrations.entries()) {
    if (migration.number === index + 1) continue;
    throw new MigrationError(
      `${join(folder, files[index] ?? '')} should have the number ${index + 1}: numbers leave no gap and repeat none.`,
    );
  }
  if (migrations.length === 0) throw new MigrationError(`${folder} holds no migrations.`);
  return migrations;
}

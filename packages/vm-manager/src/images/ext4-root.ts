/**
 * Writes a tree as an ext4 file system without a journal, for a drive that is never written to. The same tree makes the same
 * contents; mkfs.ext4 writes down when it read each file, too, so not the same bytes.
 */
import { truncate } from 'node:fs/promises';
import { runBuildCommand } from './build-command.ts';

const MIB = 1024 * 1024;
const BLOCK = 4096;

export type Ext4Query = {
  tree: string;
  file: string;
  /** Of all entries of the tree. */
  contentBytes: number;
  entries: number;
  /** 32 hexadecimal digits; the file system's own id, and what its directories are hashed with. */
  seed: string;
  epochSeconds: number;
};

export async function writeExt4Root(query: Ext4Query): Promise<void> {
  const { tree, file, seed } = query;
  const uuid = seed.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const inodes = Math.ceil(query.entries * 1.05) + 64;
  // Each entry's last block is half empty on average; an inode has 256 bytes; the rest is the file system's own.
  const bytes = query.contentBytes + (query.entries * BLOCK) / 2 + inodes * 256;
  const size = Math.ceil((bytes * 1.03) / MIB) + 16;
  await truncate(file, 0).catch(() => undefined);
  const extended = `root_owner=0:0,hash_seed=${uuid},lazy_itable_init=0,nodiscard`;
  await runBuildCommand(
    [
      ...['mkfs.ext4', '-q', '-F', '-t', 'ext4', '-b', String(BLOCK), '-I', '256', '-N', String(inodes), '-m', '0'],
      ...['-O', '^has_journal,^resize_inode', '-U', uuid, '-L', 'vestibule', '-E', extended, '-d', tree, file],
      `${size}M`,
    ],
    { environment: { E2FSPROGS_FAKE_TIME: String(query.epochSeconds) } },
  );
}

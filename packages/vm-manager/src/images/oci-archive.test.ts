import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeLayerTar } from './layer-tar.ts';
import { writeOciArchive, type Layer, type OciImage } from './oci-archive.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'vestibule-oci-'))));
afterEach(() => rmSync(dir, { recursive: true }));

function makeLayer(name: string, content: string): Layer {
  const file = join(dir, name);
  writeFileSync(file, content);
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { file, bytes: content.length, sha256, createdBy: name };
}

function makeImage(layers: Layer[]): OciImage {
  return {
    ...{ layers, architecture: 'amd64', reference: 'thing:0123', created: '2026-01-01T00:00:00Z' },
    ...{ entrypoint: ['/init'], labels: { 'a.label': 'value' } },
  };
}

type Descriptor = { digest: string; size: number; annotations?: Record<string, string> };

function unpack(archive: string): (path: string) => Buffer {
  const out = join(dir, 'unpacked');
  mkdirSync(out);
  execFileSync('tar', ['-xf', archive, '-C', out]);
  return (path) => readFileSync(join(out, path));
}

it('writes an archive in which every digest is the one of the bytes it names', async () => {
  const archive = join(dir, 'image.tar');
  const layers = [makeLayer('lower', 'x'.repeat(513)), makeLayer('upper', '')];
  const measured = await writeOciArchive(makeImage(layers), archive);
  expect(measured.sha256).toBe(createHash('sha256').update(readFileSync(archive)).digest('hex'));
  const read = unpack(archive);
  const readBlob = ({ digest, size }: Descriptor): Buffer => {
    const [, hash = ''] = digest.split(':');
    const bytes = read(`blobs/sha256/${hash}`);
    expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([size, hash]);
    return bytes;
  };
  expect(JSON.parse(read('oci-layout').toString())).toEqual({ imageLayoutVersion: '1.0.0' });
  const index = JSON.parse(read('index.json').toString()) as { manifests: Descriptor[] };
  expect(index.manifests[0]?.annotations).toEqual({ 'org.opencontainers.image.ref.name': 'thing:0123' });
  const manifest = JSON.parse(readBlob(index.manifests[0]!).toString()) as { config: Descriptor; layers: Descriptor[] };
  expect(manifest.layers.map((layer) => readBlob(layer).length)).toEqual([513, 0]);
  expect(JSON.parse(readBlob(manifest.config).toString())).toMatchObject({
    architecture: 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/init'], Labels: { 'a.label': 'value' } },
    rootfs: { type: 'layers', diff_ids: layers.map(({ sha256 }) => `sha256:${sha256}`) },
  });
});

it('writes the same bytes for the same layers', async () => {
  const files = [join(dir, 'one.tar'), join(dir, 'two.tar')];
  for (const file of files) await writeOciArchive(makeImage([makeLayer('layer', 'content')]), file);
  expect(readFileSync(files[0]!).equals(readFileSync(files[1]!))).toBe(true);
});

it.runIf(process.geteuid?.() === 0)(
  'writes the same layer for the same tree, in whatever order it was made',
  async () => {
    const trees = [
      ['b', 'a'],
      ['a', 'b'],
    ].map((names, index) => {
      const tree = join(dir, `tree-${index}`);
      mkdirSync(tree);
      for (const name of names) writeFileSync(join(tree, name), name);
      execFileSync('touch', ['-d', '@1000', tree, ...names.map((name) => join(tree, name))]);
      return tree;
    });
    const measured = [];
    for (const tree of trees) measured.push(await writeLayerTar(tree, `${tree}.tar`));
    expect(measured[0]).toEqual(measured[1]);
  },
);

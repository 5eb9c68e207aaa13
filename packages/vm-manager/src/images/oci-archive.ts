/**
 * Writes an OCI image archive (image-spec v1.1: `oci-layout`, `index.json`, `blobs/`) that `podman load` and `docker load` take. The same
 * layers make the same bytes. Layers are left uncompressed: they are read once, on the machine they were made on.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { toTarHeader } from '../vm/tar.ts';
import { createMeasure, type Measured } from './layer-tar.ts';

export type Layer = Measured & { file: string; createdBy: string };

export type OciImage = {
  /** The lowest first. */
  layers: readonly Layer[];
  architecture: string;
  /** With tag. */
  reference: string;
  /** ISO 8601. */
  created: string;
  entrypoint: readonly string[];
  labels: Readonly<Record<string, string>>;
};

type Blob = Measured & { content: Buffer | { file: string } };

const BLOCK = 512;
const TYPES = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
} as const;

export async function writeOciArchive(image: OciImage, file: string): Promise<Measured> {
  const layers = image.layers.map(({ bytes, sha256, file: from }): Blob => ({
    bytes,
    sha256,
    content: { file: from },
  }));
  const config = toBlob(toConfig(image));
  const manifest = toBlob({
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: toDescriptor(TYPES.config, config),
    layers: layers.map((layer) => toDescriptor(TYPES.layer, layer)),
  });
  const annotations = { 'org.opencontainers.image.ref.name': image.reference };
  const index = toBlob({
    schemaVersion: 2,
    mediaType: TYPES.index,
    manifests: [{ ...toDescriptor(TYPES.manifest, manifest), annotations }],
  });
  const layout = toBlob({ imageLayoutVersion: '1.0.0' });
  const entries: [string, Blob][] = [
    ['oci-layout', layout],
    ['index.json', index],
    ...[manifest, config, ...layers].map((blob): [string, Blob] => [`blobs/sha256/${blob.sha256}`, blob]),
  ];
  const measure = createMeasure();
  await pipeline(toTar(entries), measure.stream, createWriteStream(file));
  return measure.result();
}

function toConfig({ layers, architecture, created, entrypoint, labels }: OciImage): object {
  return {
    created,
    architecture,
    os: 'linux',
    config: { Entrypoint: entrypoint, WorkingDir: '/', Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'], Labels: labels },
    rootfs: { type: 'layers', diff_ids: layers.map(({ sha256 }) => `sha256:${sha256}`) },
    history: layers.map(({ createdBy }) => ({ created, created_by: createdBy })),
  };
}

const toDescriptor = (mediaType: string, { bytes, sha256 }: Measured) => ({
  mediaType,
  digest: `sha256:${sha256}`,
  size: bytes,
});

function toBlob(value: object): Blob {
  const content = Buffer.from(JSON.stringify(value));
  return { content, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
}

async function* toTar(entries: readonly [string, Blob][]): AsyncGenerator<Buffer> {
  for (const [name, { bytes, content }] of entries) {
    yield toTarHeader(name, bytes);
    if (Buffer.isBuffer(content)) yield content;
    else yield* createReadStream(content.file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>;
    yield Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}

/**
 * A name server for tests: `tsx e2e/name-server/main.ts 10.0.0.2 idp.test=10.0.0.2` answers type A over UDP (RFC 1035) for the names it is
 * given, and that there is no such name for all others. Prints one line when it listens; ends when its standard input does.
 */
import { createSocket } from 'node:dgram';

const HEADER_BYTES = 12;
const TYPE_A = 1;
/** Answer, recursion desired and available; the low bits are the response code. */
const FLAGS = 0x8180;
const NAME_ERROR = 3;
const TTL_SECONDS = 60;

const [listenAddress = '', ...entries] = process.argv.slice(2);
const addresses = new Map(entries.map((entry) => entry.split('=') as [name: string, address: string]));

type Question = { name: string; type: number; end: number };

function readQuestion(query: Buffer): Question {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** One resource record whose name points at the question's. */
function toRecord(address: string): Buffer {
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, TTL_SECONDS, 0, 4, 0, 0, 0, 0]);
  record.set(address.split('.').map(Number), record.length - 4);
  return record;
}

function toAnswer(query: Buffer): Buffer {
  const { name, type, end } = readQuestion(query);
  const address = addresses.get(name);
  const records = address !== undefined && type === TYPE_A ? [toRecord(address)] : [];
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(FLAGS | (address === undefined ? NAME_ERROR : 0), 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, query.subarray(HEADER_BYTES, end), ...records]);
}

const socket = createSocket('udp4');
socket.on('message', (query, from) => {
  try {
    socket.send(toAnswer(query), from.port, from.address);
  } catch {
    // Not a query: a name server says nothing to it.
  }
});
socket.bind(53, listenAddress, () => process.stdout.write(`${JSON.stringify({ listening: listenAddress })}\n`));
process.stdin.resume().once('end', () => process.exit(0));

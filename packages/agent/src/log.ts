/**
 * The agent's log: one line on stderr for each fact, which the VM's supervisor keeps. The output of the CLI never passes through here,
 * nor does a URL or the content of a file.
 */
export type Log = (fact: string, fields?: Readonly<Record<string, string | number | boolean | null>>) => void;

export function createLog(write: (line: string) => void = (line) => process.stderr.write(line)): Log {
  return (fact, fields = {}) => {
    const afterMs = Math.round(performance.now());
    write(`${JSON.stringify({ from: 'agent', afterMs, fact, ...fields })}\n`);
  };
}

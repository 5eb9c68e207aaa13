/** Refuses a Node that is too old with a sentence, before a syntax error can. */

/**
 * What is wrong with this version of Node, or null.
 * @param {string} version as in `process.versions.node`
 * @returns {string | null}
 */
export function findNodeProblem(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 20)) return null;
  return `Vestibule needs Node 20.20 or newer, and this is ${version}. Install it from https://nodejs.org or with your version manager (the clone has an .nvmrc), then try again.`;
}

/** Ends the program when Node is too old. */
export function requireNode() {
  const problem = findNodeProblem(process.versions.node);
  if (problem === null) return;
  console.error(problem);
  process.exit(1);
}

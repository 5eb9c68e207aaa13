/** What the program that builds images takes from its environment: how packages are fetched, and nothing else. */

/** Proxies and certificates, for apt and npm; npm's registry. */
const FETCHING =
  /^(?:https?_proxy|no_proxy|all_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|npm_config_(?:registry|cafile|https?[_-]proxy|noproxy|strict[_-]ssl))$/i;

export function loadFetchEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => FETCHING.test(entry[0]) && entry[1] !== undefined),
  );
}

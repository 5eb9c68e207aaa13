/** The server's configuration files as text: one small local server, durable, that writes no value of any statement to its log. */
import { PORT } from './cluster-folder.ts';

/** A value in postgresql.conf. */
export function quoteSetting(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

/** One element of a list, such as a path with a comma in it. */
function quoteElement(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}

export type ServerFiles = { hba: string; ident: string };

export function toPostgresqlConf(
  run: string,
  files: ServerFiles,
  settings: Readonly<Record<string, string>> = {},
): string {
  const all: Record<string, string> = {
    listen_addresses: '',
    port: String(PORT),
    unix_socket_directories: quoteElement(run),
    hba_file: files.hba,
    ident_file: files.ident,
    cluster_name: 'vestibule',
    max_connections: '100',
    idle_in_transaction_session_timeout: '60s',

    // Durable (I12); there is no standby that would need more in the log than a restart does.
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    wal_level: 'minimal',
    max_wal_senders: '0',

    // Small: about 30 MB with one client.
    shared_buffers: '32MB',
    max_wal_size: '256MB',
    min_wal_size: '32MB',
    io_method: 'sync',
    max_logical_replication_workers: '0',
    max_parallel_workers: '0',
    jit: 'off',

    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',

    // I7. LOG ranks between ERROR and FATAL: errors, whose text and detail may quote a row, go to the client only.
    log_destination: 'stderr',
    logging_collector: 'off',
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_statement: 'none',
    log_min_duration_statement: '-1',
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
    log_checkpoints: 'off',
    log_lock_waits: 'off',
    log_autovacuum_min_duration: '-1',
    log_line_prefix: '%m [%p] ',
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${quoteSetting(value)}`);
  return `# Written by Vestibule before each start; changes are lost.\n${lines.join('\n')}\n`;
}

export const OWNER_ROLE = 'vestibule_owner';
export const APP_ROLE = 'vestibule_app';
export const DATABASE = 'vestibule';
const IDENT_MAP = 'controller';

/** Nobody else is let in, the superuser included: whom the kernel names as the socket's other end decides. */
export function toPgHbaConf(): string {
  return `# Written by Vestibule before each start; changes are lost.\nlocal all ${OWNER_ROLE},${APP_ROLE} peer map=${IDENT_MAP}\n`;
}

/** @param systemUser the operating system's user that the controller runs as. */
export function toPgIdentConf(systemUser: string): string {
  const quoted = quoteElement(systemUser);
  const lines = [OWNER_ROLE, APP_ROLE].map((role) => `${IDENT_MAP} ${quoted} ${role}`);
  return `# Written by Vestibule before each start; changes are lost.\n${lines.join('\n')}\n`;
}

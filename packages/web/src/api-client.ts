/** The one client of the page's own server. */
import { createClient } from '@vestibule/protocol/client';

export const client = createClient();

/** Whether the person signs in with a passkey, a security key or a managed device; kept in this browser only. */
const KEY = 'vestibule.passkey';

export function loadHasPasskey(): boolean {
  try {
    return localStorage.getItem(KEY) === 'yes';
  } catch {
    return false; // Storage is switched off.
  }
}

export function saveHasPasskey(hasPasskey: boolean): void {
  try {
    if (hasPasskey) localStorage.setItem(KEY, 'yes');
    else localStorage.removeItem(KEY);
  } catch {
    // Storage is switched off: the choice holds until the dialog is closed.
  }
}

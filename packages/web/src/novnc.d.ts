/** `@types/novnc__novnc` knows only the file layout of 1.6; 1.7 exports the same class from the package's root. */
declare module '@novnc/novnc' {
  export { default } from '@novnc/novnc/lib/rfb';
}

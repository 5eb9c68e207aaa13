/** A QR code, dark on white also on a dark page: cameras want it so. Nothing when the text is too long for one. */
import { useMemo } from 'react';
import { toQrPath } from './qr-path.ts';

export function QrCode({ text, label, className = '' }: { text: string; label: string; className?: string }) {
  const code = useMemo(() => toQrPath(text), [text]);
  if (code === null) return <p className="text-sm text-muted">This link is too long for a QR code. Copy it instead.</p>;
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${code.size} ${code.size}`}
      shapeRendering="crispEdges"
      className={`rounded-lg ${className}`}
    >
      <rect width={code.size} height={code.size} className="fill-qr-ground" />
      <path d={code.path} className="fill-qr-ink" />
    </svg>
  );
}

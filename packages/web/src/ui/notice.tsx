/** A coloured box with one thing to know. Bad news is announced at once, the rest politely. */
import type { ReactNode } from 'react';
import { CheckIcon, InfoIcon, WarnIcon } from './icons.tsx';

export type NoticeTone = 'info' | 'warn' | 'bad' | 'good';

const LOOKS: Record<NoticeTone, string> = {
  info: 'bg-accent-soft text-ink [&>svg]:text-accent',
  warn: 'bg-warn-soft text-ink [&>svg]:text-warn',
  bad: 'bg-bad-soft text-ink [&>svg]:text-bad',
  good: 'bg-good-soft text-ink [&>svg]:text-good',
};

const ICONS: Record<NoticeTone, (props: { className?: string }) => ReactNode> = {
  info: InfoIcon,
  warn: WarnIcon,
  bad: WarnIcon,
  good: CheckIcon,
};

export function Notice({
  tone,
  children,
  className = '',
}: {
  tone: NoticeTone;
  children: ReactNode;
  className?: string;
}) {
  const Icon = ICONS[tone];
  return (
    <div
      role={tone === 'bad' ? 'alert' : undefined}
      className={`flex gap-3 rounded-xl px-4 py-3 text-sm ${LOOKS[tone]} ${className}`}
    >
      <Icon />
      <div className="min-w-0 flex-1">{children}</div>
    </div>
  );
}

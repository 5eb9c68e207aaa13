/** Inline icons, 20 px, drawn with the text's colour; all are decoration, words stand beside them. */
import type { ReactNode } from 'react';

function Icon({ children, className = '' }: { children: ReactNode; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 20 20"
      className={`size-5 shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  );
}

type IconProps = { className?: string };

export const Spinner = ({ className = '' }: IconProps) => (
  <Icon className={`animate-spin ${className}`}>
    <path d="M10 2.5a7.5 7.5 0 1 1-7.5 7.5" />
  </Icon>
);
export const CheckIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <path d="m4.5 10.5 3.6 3.6 7.4-8" />
  </Icon>
);
export const CrossIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <path d="m5.5 5.5 9 9m0-9-9 9" />
  </Icon>
);
export const ClockIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <circle cx="10" cy="10" r="7.25" />
    <path d="M10 6v4.2l2.7 1.8" />
  </Icon>
);
export const BackIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <path d="M12 4.5 6.5 10l5.5 5.5" />
  </Icon>
);
export const PasteIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <path d="M7.5 4H6a1.5 1.5 0 0 0-1.5 1.5v10A1.5 1.5 0 0 0 6 17h8a1.5 1.5 0 0 0 1.5-1.5v-10A1.5 1.5 0 0 0 14 4h-1.5" />
    <rect x="7.5" y="2.5" width="5" height="3" rx="1" />
  </Icon>
);
export const KeyboardIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <rect x="2" y="5" width="16" height="10.5" rx="2" />
    <path d="M5.5 8.5h.01M8.5 8.5h.01M11.5 8.5h.01M14.5 8.5h.01M7 12.2h6" />
  </Icon>
);
export const ListIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <path d="M7.5 5h9M7.5 10h9M7.5 15h9M3.5 5h.01M3.5 10h.01M3.5 15h.01" />
  </Icon>
);
export const SwitchIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <path d="M3.5 7h11.5l-3-3M16.5 13H5l3 3" />
  </Icon>
);
export const TerminalIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <rect x="2" y="3.5" width="16" height="13" rx="2" />
    <path d="m5.5 7.5 2.5 2.5-2.5 2.5M10.5 12.8h4" />
  </Icon>
);
export const CopyIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <rect x="7" y="7" width="9.5" height="9.5" rx="1.8" />
    <path d="M13 7V5.2A1.7 1.7 0 0 0 11.3 3.5H5.2a1.7 1.7 0 0 0-1.7 1.7v6.1A1.7 1.7 0 0 0 5.2 13H7" />
  </Icon>
);
export const InfoIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <circle cx="10" cy="10" r="7.25" />
    <path d="M10 9.2v4.2M10 6.6h.01" />
  </Icon>
);
export const WarnIcon = ({ className = '' }: IconProps) => (
  <Icon className={className}>
    <path d="M10 3.2 2.6 16.2h14.8zM10 8.2v3.6M10 14h.01" />
  </Icon>
);

/** The product's mark: a doorway. */
export const DoorMark = () => (
  <svg aria-hidden="true" viewBox="0 0 32 32" className="size-7 shrink-0">
    <rect width="32" height="32" rx="8" className="fill-accent" />
    <path
      d="M9 26V14a7 7 0 0 1 14 0v12"
      className="stroke-on-accent"
      fill="none"
      strokeWidth="2.6"
      strokeLinecap="round"
    />
    <path d="M13 26V15.5a3 3 0 0 1 6 0V26z" className="fill-on-accent" />
  </svg>
);

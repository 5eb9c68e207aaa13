/** Buttons, and links that look like them. */
import type { ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import { Link } from 'react-router';

export type ButtonVariant = 'primary' | 'secondary' | 'quiet' | 'danger';

const SHAPE =
  'inline-flex min-h-10 shrink-0 items-center justify-center gap-2 rounded-[0.625rem] px-4 text-sm font-medium whitespace-nowrap transition-colors disabled:opacity-50';

const LOOKS: Record<ButtonVariant, string> = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong',
  secondary: 'border border-line bg-surface hover:bg-sunken',
  quiet: 'px-3 text-muted hover:bg-sunken hover:text-ink',
  danger: 'bg-bad text-on-accent hover:opacity-90',
};

/** For a plain link that looks like a button. */
export const toButtonLook = (variant: ButtonVariant): string => `${SHAPE} ${LOOKS[variant]}`;

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  variant?: ButtonVariant;
  ref?: Ref<HTMLButtonElement>;
};

export function Button({ variant = 'secondary', className = '', type = 'button', ...rest }: ButtonProps) {
  return <button type={type} className={`${toButtonLook(variant)} ${className}`} {...rest} />;
}

type ButtonLinkProps = { to: string; variant?: ButtonVariant; children: ReactNode; 'aria-label'?: string };

export function ButtonLink({ to, variant = 'secondary', children, ...rest }: ButtonLinkProps) {
  return (
    <Link to={to} className={toButtonLook(variant)} {...rest}>
      {children}
    </Link>
  );
}

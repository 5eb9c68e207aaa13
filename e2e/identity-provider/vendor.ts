/** What a vendor's part of the fake identity provider is: the names of its hosts, and its answers. */
import type { Answer, Asked } from './answer.ts';
import type { Behaviour } from './behaviour.ts';
import type { DeviceCodes } from './device-codes.ts';
import type { Grants, RequestRules } from './grants.ts';

export type Surroundings = {
  grants: Grants;
  deviceCodes: DeviceCodes;
  /** As it is now. */
  behaviour: () => Behaviour;
  /** Begins a sign-in in the browser by the usual query, and shows its first page. */
  authorize: (query: URLSearchParams, rules: RequestRules) => Answer;
  /** Shows the first page of a request that was begun otherwise. */
  showSignIn: (requestId: string) => Answer;
};

/** Null: not a thing this vendor has. */
export type AnswerAsked = (asked: Asked) => Answer | null;
export type CreateAnswer = (surroundings: Surroundings) => AnswerAsked;
export type Vendor = { hosts: readonly string[]; createAnswer: CreateAnswer };

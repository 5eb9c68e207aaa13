/** How the fake identity provider misbehaves when a test asks for it; otherwise as a good one does. */
export type Behaviour = {
  /** `refused`: no device codes for this workspace. `expired`: a code that was given has run out. */
  deviceCodes: 'accepted' | 'refused' | 'expired';
  /** `blank`: an empty refresh token. `unavailable`: HTTP 503. `refused`: the code is not taken. */
  tokens: 'whole' | 'blank' | 'unavailable' | 'refused';
};

export const GOOD_BEHAVIOUR: Behaviour = { deviceCodes: 'accepted', tokens: 'whole' };

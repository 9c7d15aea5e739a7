// SPDX-License-Identifier: Apache-2.0
// Where in a model an instruction comes from, for profiles. Nothing but a recording asks.

/** A layer's path, and whether its gradient is being computed. */
export interface Place {
  readonly layer: string;
  readonly isBackward: boolean;
}

const NOWHERE: Place = { layer: '', isBackward: false };
let place = NOWHERE;

export function currentPlace(): Place {
  return place;
}

/** Runs `body` with its instructions noted as coming from `inner`. */
export function inPlace<T>(inner: Place, body: () => T): T {
  const outer = place;
  place = inner;
  try {
    return body();
  } finally {
    place = outer;
  }
}

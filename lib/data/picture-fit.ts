// SPDX-License-Identifier: Apache-2.0
// How a picture of another size becomes one of the right size. Its own file: types that users see must not name those of
// sharp, which need not be installed.

export const FIT_NAMES = ['cover', 'contain', 'fill'] as const;
export type Fit = (typeof FIT_NAMES)[number];

// SPDX-License-Identifier: Apache-2.0
// Pictures as SVG text through Vega-Lite, which is loaded when the first one is drawn.
import type { Config, TopLevelSpec } from 'vega-lite';

/** Okabe and Ito's colours, told apart by people with any colour vision. */
export const COLORS = { blue: '#0072b2', orange: '#d55e00', green: '#009e73', grey: '#8a8f98' } as const;

/** One look for all pictures: quiet axes, the data in front. */
const CONFIG: Config = {
  background: '#ffffff',
  font: 'Helvetica, Arial, sans-serif',
  padding: 16,
  view: { stroke: null },
  axis: {
    domain: false,
    ticks: false,
    gridColor: '#e8eaed',
    labelColor: '#4a4f57',
    labelFontSize: 12,
    labelPadding: 8,
    titleColor: '#4a4f57',
    titleFontSize: 12,
    titleFontWeight: 'normal',
    titlePadding: 12,
  },
  legend: { labelColor: '#24292f', labelFontSize: 12, title: null, symbolStrokeWidth: 2.5, symbolSize: 160 },
  title: { anchor: 'start', color: '#24292f', fontSize: 14, fontWeight: 'bold', offset: 14 },
};

/**
 * The look of pictures inside of a page, which follow its colours: text as that around them, and these variables of the page for
 * data.
 */
export const PAGE_COLORS = { blue: 'var(--blue)', orange: 'var(--orange)' } as const;

const IN_PAGE: Config = {
  ...CONFIG,
  background: 'transparent',
  font: 'inherit',
  padding: 4,
  axis: {
    ...CONFIG.axis,
    gridColor: 'currentColor',
    gridOpacity: 0.14,
    labelColor: 'currentColor',
    labelOpacity: 0.75,
    titleColor: 'currentColor',
    titleOpacity: 0.75,
  },
  legend: { ...CONFIG.legend, labelColor: 'currentColor' },
  title: { ...CONFIG.title, color: 'currentColor' },
};

/** How a picture is drawn. */
export interface RenderOptions {
  /** A name of the picture in a page that it will stand in; default: it stands for itself, on white. */
  readonly inPage?: string | undefined;
}

/** The SVG of a Vega-Lite specification. */
export async function renderSvg(spec: TopLevelSpec, { inPage }: RenderOptions = {}): Promise<string> {
  const svg = await draw(spec, inPage === undefined ? CONFIG : IN_PAGE);
  if (inPage === undefined) return svg;
  return svg // names are those of one picture, which may not be the only one of the page
    .replaceAll(/ id="([^"]+)"/g, ` id="${inPage}-$1"`)
    .replaceAll(/url\(#([^)]+)\)/g, `url(#${inPage}-$1)`);
}

async function draw(spec: TopLevelSpec, config: Config): Promise<string> {
  const [{ compile }, { parse, View }] = await Promise.all([import('vega-lite'), import('vega')]);
  const view = new View(parse(compile(spec, { config }).spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { type Panel, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard'
import {
  PanelBuilder as HeatmapBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** A variable of Grafana in the form that takes a format, such as `queryparam`. */
export const variable = (name: string): string => `\${${name}}`

/** The data source of every panel of metrics: the dashboard's own variable. */
export const prometheus = { type: 'prometheus', uid: variable('datasource') }

export interface PanelWords {
  title: string
  /** What the panel shows, and what to do when it looks bad. */
  description: string
  /** A unit of Grafana, e.g. `s`, `reqps`, `percentunit`. */
  unit: string
  /** Of 24 columns. */
  width: number
  /** The values may be negative. */
  belowZero?: boolean
  /** When the panel is rightly empty, as it goes on after "Empty while". Otherwise an empty panel is a fault of ours. */
  emptyWhile?: string
  queries: Query[]
}

export interface Query {
  expr: string
  legend: string
  /** Shows the exemplars of the query's histogram, which lead to traces. */
  exemplars?: boolean
}

/** A horizontal line, or the value from which a single number changes its colour. */
export interface Step {
  value: number
  color: string
}

/** Values over time; `lines` are drawn dashed across the panel. */
export function graph(words: PanelWords, lines: Step[] = []): Builder<Panel> {
  const panel = new TimeSeriesBuilder()
    .fillOpacity(8)
    .legend(new VizLegendOptionsBuilder().showLegend(true))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
  if (!words.belowZero) panel.min(0)
  if (lines.length > 0) {
    panel
      .thresholds(steps('transparent', lines))
      .thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed))
  }
  return worded(panel, words, 8)
}

/** The newest value of each series, coloured by the highest step under it. */
export function number(words: PanelWords, base: string, colours: Step[]): Builder<Panel> {
  return worded(new StatBuilder().thresholds(steps(base, colours)), words, 5)
}

/** When each series had which state: coloured while it is 1 or more. */
export function timeline(words: PanelWords, color = 'red'): Builder<Panel> {
  return worded(new StateTimelineBuilder().thresholds(steps('transparent', [{ value: 1, color }])), words, 8)
}

/** How a histogram's observations spread over its buckets, and when. */
export function heatmap(words: Omit<PanelWords, 'queries'> & { expr: string }): Builder<Panel> {
  const { expr, unit } = words
  const panel = new HeatmapBuilder()
    .yAxis(new YAxisConfigBuilder().unit(unit))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64))
    .withTarget(
      new DataqueryBuilder()
        .expr(expr)
        .legendFormat('{{le}}')
        .range()
        .format(PromQueryFormat.Heatmap)
        .exemplar(true)
        .datasource(prometheus),
    )
  return described(panel, words, 8)
}

function worded<P extends TimeSeriesBuilder | StatBuilder | StateTimelineBuilder>(
  panel: P,
  words: PanelWords,
  height: number,
): P {
  described(panel, words, height)
  for (const { expr, legend, exemplars } of words.queries) {
    const query = new DataqueryBuilder().expr(expr).legendFormat(legend).range().datasource(prometheus)
    panel.withTarget(exemplars ? query.exemplar(true) : query)
  }
  return panel
}

/** What panels of every kind can be given. */
interface AnyPanel {
  title(title: string): this
  description(words: string): this
  unit(unit: string): this
  datasource(source: { type: string; uid: string }): this
  span(width: number): this
  height(height: number): this
}

/** Gives a panel its words and its place. */
export function described<P extends AnyPanel>(
  panel: P,
  { title, description, unit, width, emptyWhile }: Omit<PanelWords, 'queries'>,
  height: number,
  source = prometheus,
): P {
  const words = emptyWhile === undefined ? description : `${description} Empty while ${emptyWhile}.`
  return panel.title(title).description(words).unit(unit).datasource(source).span(width).height(height)
}

/** The colour under the lowest step, and those from each step on. */
export function steps(base: string, above: Step[]): ThresholdsConfigBuilder {
  const sorted = [...above].sort((a, b) => a.value - b.value)
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([{ value: null, color: base }, ...sorted])
}

import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common'
import { type Panel, ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as StateTimelineBuilder } from '@grafana/grafana-foundation-sdk/statetimeline'
import { PanelBuilder as TimeSeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** The data source of every panel: the dashboard's own variable. */
export const prometheus = { type: 'prometheus', uid: '$' + '{datasource}' }

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

/** When each series had which state. */
export function timeline(words: PanelWords): Builder<Panel> {
  return worded(new StateTimelineBuilder().thresholds(steps('transparent', [{ value: 1, color: 'red' }])), words, 8)
}

function worded<P extends TimeSeriesBuilder | StatBuilder | StateTimelineBuilder>(
  panel: P,
  { title, description, unit, width, queries }: PanelWords,
  height: number,
): P {
  panel.title(title).description(description).unit(unit).datasource(prometheus).span(width).height(height)
  for (const { expr, legend, exemplars } of queries) {
    const query = new DataqueryBuilder().expr(expr).legendFormat(legend).range().datasource(prometheus)
    panel.withTarget(exemplars ? query.exemplar(true) : query)
  }
  return panel
}

function steps(base: string, above: Step[]): ThresholdsConfigBuilder {
  const sorted = [...above].sort((a, b) => a.value - b.value)
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([{ value: null, color: base }, ...sorted])
}

"""Quantile plots in characters."""

from __future__ import annotations

from tuner.render.plot import SYMBOLS, PlotSeries, quantile_plot


def series(*values: float, name: str = "512 MB") -> PlotSeries:
    return PlotSeries(name=name, values_ms=values)


def test_low_values_stand_left_below_and_high_ones_right_above() -> None:
    *rows, _, _, _ = quantile_plot([series(*range(100, 200))], width=60, height=10).splitlines()
    first, last = rows[0].split("│")[1], rows[-1].split("│")[1]
    assert first.index("●") > 40
    assert last.startswith("●")


def test_each_column_has_one_mark_for_a_series() -> None:
    *rows, _, _, _ = quantile_plot([series(*range(100, 200))], width=60, height=10).splitlines()
    columns = [row.split("│")[1].ljust(49) for row in rows]
    assert all(sum(row[column] == "●" for row in columns) == 1 for column in range(49))


def test_series_are_told_apart_and_named() -> None:
    text = quantile_plot([series(1, 2, name="one"), series(8, 9, name="two")], width=60)
    assert "● one" in text
    assert "○ two" in text


def test_the_axis_goes_from_the_fastest_to_the_slowest() -> None:
    assert "0%" in quantile_plot([series(1, 2)], width=60)
    assert "100%" in quantile_plot([series(1, 2)], width=60)


def test_a_single_value_and_equal_values_are_drawn() -> None:
    assert "●" in quantile_plot([series(5.0)], width=60)
    assert "●" in quantile_plot([series(5.0, 5.0, 5.0)], width=60)
    assert "●" in quantile_plot([series(0.0, 0.0)], width=60)


def test_nothing_to_draw_is_no_plot() -> None:
    assert quantile_plot([], width=60) == ""
    assert quantile_plot([series()], width=60) == ""


def test_no_line_is_wider_than_asked_for() -> None:
    many = [series(number, number + 5, name=f"{number} MB arm64 (simulated)") for number in range(1, 9)]
    for width in (50, 60, 80, 200):
        assert max(map(len, quantile_plot(many, width=width).splitlines())) <= width


def test_there_is_a_symbol_for_eight_series_and_no_more_are_drawn() -> None:
    many = [series(number, number + 5, name=f"series-{number}") for number in range(12)]
    text = quantile_plot(many, width=120)
    assert sum(symbol in text for symbol in SYMBOLS) == len(SYMBOLS)
    assert "series-9" not in text

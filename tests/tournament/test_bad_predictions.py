import io

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tournament.predictions import check

UNIVERSE = [f"n{i:03d}" for i in range(50)]
GOOD = pd.DataFrame({"id": UNIVERSE, "prediction": np.linspace(0, 1, 50)})


def csv(frame=GOOD):
    return frame.to_csv(index=False).encode()


def parquet(frame=GOOD):
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def columns(**instead):
    """A Parquet file whose columns hold something of another kind."""
    buffer = io.BytesIO()
    pq.write_table(pa.table({"id": UNIVERSE, "prediction": GOOD["prediction"].tolist(), **instead}), buffer)
    return buffer.getvalue()


RANDOM = np.random.default_rng(0).random(50)
FLOOD = columns(id=pa.array(["a"] * 3_000_000).dictionary_encode(), prediction=np.zeros(3_000_000))


def changed(row, column, value):
    frame = GOOD.astype({"prediction": object}).copy()
    frame.loc[row, column] = value
    return csv(frame)


BAD = [
    ("an empty file", b"", "empty_file", "is empty"),
    ("a header alone", b"id,prediction\n", "no_rows", "no rows"),
    ("no id column", csv(GOOD.rename(columns={"id": "name"})), "no_id", "no column 'id'"),
    ("no prediction column", csv(GOOD.rename(columns={"prediction": "score"})), "no_prediction", "'prediction'"),
    ("two prediction columns", csv(GOOD.assign(probability=0.5)), "no_prediction", "expected one column"),
    ("an extra column", csv(GOOD.assign(comment="x")), "extra_column", "comment"),
    ("a repeated column", b"id,prediction,id\nn000,0.5,n000\n", "repeated_column", "repeat a name"),
    ("missing ids", csv(GOOD[3:]), "missing_id", "3 of 50 ids are missing (n000, n001, n002)"),
    ("unknown ids", changed(4, "id", "zzz"), "unknown_id", "row 5: zzz"),
    ("repeated ids", csv(pd.concat([GOOD, GOOD[:2]])), "repeated_id", "2 ids appear more than once (n000, n001)"),
    ("an empty id", changed(7, "id", None), "empty_id", "row 8"),
    ("text values", changed(2, "prediction", "high"), "not_numeric", "row 3: 'high'"),
    ("decimal commas", changed(2, "prediction", "0,5"), "not_numeric", "row 3: '0,5'"),
    ("missing values", changed(2, "prediction", None), "missing_value", "row 3, id n002"),
    ("infinite values", changed(2, "prediction", "inf"), "infinite_value", "row 3, id n002: inf"),
    ("values above one", changed(2, "prediction", 1.5), "out_of_range", "row 3, id n002: 1.5"),
    ("negative values", changed(2, "prediction", -0.1), "out_of_range", "row 3, id n002: -0.1"),
    ("a constant", csv(GOOD.assign(prediction=0.5)), "constant", "all predictions are 0.5"),
    ("broken Parquet", parquet()[:200], "broken_parquet", "cannot be read"),
    ("a pickle", b"\x80\x04\x95rest", "wrong_format", "is a pickle"),
    ("an Excel file", b"PK\x03\x04rest", "wrong_format", "ZIP or Excel"),
    ("a gzip file", b"\x1f\x8b\x08rest", "wrong_format", "gzip"),
    ("binary rubbish", bytes(range(256)) * 4, "wrong_format", "not text"),
    ("ragged lines", b"id,prediction\nn000,0.5,7\n", "broken_csv", "cannot be read as CSV"),
    ("text that is not UTF-8", b"id,prediction\n\xff\xfe,0.5\n", "broken_csv", "cannot be read as CSV"),
    ("a NUL far behind", csv() + b"x" * 5000 + b"\x00,0.5\n", "wrong_format", "is not text"),
    ("one id repeated", csv(pd.concat([GOOD, GOOD[:1]])), "repeated_id", "1 id appears more than once (n000)"),
    ("one id missing", csv(GOOD[1:]), "missing_id", "1 of 50 ids is missing (n000)"),
    ("ids in lists", columns(id=[[name] for name in UNIVERSE]), "id_type", "type list<element: string>"),
    ("ids in structs", columns(id=[{"a": name} for name in UNIVERSE]), "id_type", "cannot be read as text"),
    ("ids of foreign bytes", columns(id=[b"\xff\xfe"] * 50), "id_type", "type binary cannot be read"),
    ("ids longer than any", columns(id=["x" * 500] * 50), "id_type", "more than 200 bytes"),
    ("ids with control characters", columns(id=["\x00\x1b[2J"] * 50), "unknown_id", r"row 1: \x00\x1b[2J"),
    ("numbers beyond floats", columns(prediction=pa.array([2**64 - 1] * 50, pa.uint64())), "out_of_range", "1.8"),
    ("values in lists", columns(prediction=[[0.5]] * 50), "not_numeric", "row 1: '[0.5]'"),
    ("values of foreign bytes", columns(prediction=[b"\xff"] * 50), "not_numeric", "row 1"),
    ("dates for values", columns(prediction=pa.array([2**60] * 50, pa.timestamp("ms"))), "not_numeric", "not numbers"),
    (
        "nearly a constant",
        csv(GOOD.assign(prediction=0.9 + RANDOM * 5e-8)),
        "too_close",
        "values are 2 in the precision",
    ),
    ("values too close", csv(GOOD.assign(prediction=0.5 + RANDOM * 1e-7)), "too_close", "50 different values are"),
    ("a flood of lines", b"id,prediction\n" + b"a,0.5\n" * 2000, "too_many_rows", "2,000 rows; at most 1,200"),
    ("a flood packed small", FLOOD, "too_many_rows", "3,000,000 rows; at most 1,200"),
    ("a file too large", b"x" * 20_000_001, "too_large", "the limit is 20,000,000"),
]


@pytest.mark.parametrize(("data", "code", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_file_gets_its_clear_message(data, code, words):
    checked = check(data, "mine.csv", UNIVERSE)

    assert checked.values is None
    assert words in next(str(fault) for fault in checked.faults if fault.code == code)


def test_every_fault_of_a_file_is_reported_at_once():
    frame = pd.concat([GOOD[5:], GOOD[5:7]]).reset_index(drop=True)
    frame.loc[0, "prediction"], frame.loc[1, "prediction"], frame.loc[2, "id"] = 7.0, np.nan, "zzz"

    checked = check(csv(frame), "mine.csv", UNIVERSE)

    codes = {fault.code for fault in checked.faults}
    assert codes == {"unknown_id", "repeated_id", "missing_id", "missing_value", "out_of_range"}


@pytest.mark.parametrize("write", [csv, parquet])
def test_a_good_file_is_put_in_the_order_of_the_universe(write):
    shuffled = GOOD.sample(frac=1, random_state=3)

    checked = check(write(shuffled), "mine", UNIVERSE)

    assert checked.is_valid
    np.testing.assert_array_equal(checked.values, GOOD["prediction"].to_numpy(np.float32))


@pytest.mark.parametrize("levels", [2, 5])
def test_few_different_values_are_a_ranking_too(levels):
    assert check(csv(GOOD.assign(prediction=np.arange(50) % levels / levels)), "mine", UNIVERSE).is_valid


@pytest.mark.parametrize("ids", [pa.array(UNIVERSE).dictionary_encode(), pa.array(UNIVERSE, pa.large_string())])
def test_ids_may_be_texts_of_any_encoding(ids):
    assert check(columns(id=ids), "mine", UNIVERSE).is_valid


def test_probability_is_another_name_for_prediction():
    assert check(csv(GOOD.rename(columns={"prediction": "probability"})), "mine", UNIVERSE).is_valid


def test_ids_that_look_like_numbers_are_text():
    frame = GOOD.assign(id=[f"{i:03d}" for i in range(50)])

    assert check(csv(frame), "mine", list(frame["id"])).is_valid

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

import pytest

from tuner.errors import PayloadError
from tuner.inputs.event_edits import next_id
from tuner.inputs.events import read_event

SECRET = "hunter2"


def event(name: str, *settings: str, repeat: tuple[str, ...] = ()) -> Any:
    return json.loads(read_event(name, settings, repeat))


def refused(name: str, *settings: str, repeat: tuple[str, ...] = ()) -> PayloadError:
    with pytest.raises(PayloadError) as caught:
        read_event(name, settings, repeat)
    assert SECRET not in caught.value.message + caught.value.hint
    return caught.value


def record(name: str, *settings: str) -> Any:
    return event(name, *settings)["Records"][0]


def test_a_setting_changes_one_field() -> None:
    before = event("sqs/batch")
    after = event("sqs/batch", "Records.0.eventSourceARN=arn:aws:sqs:eu-west-1:123456789012:other")
    assert after["Records"][0]["eventSourceARN"] == "arn:aws:sqs:eu-west-1:123456789012:other"
    before["Records"][0]["eventSourceARN"] = after["Records"][0]["eventSourceARN"]
    assert after == before


def test_case_does_not_matter_and_the_events_own_spelling_stays() -> None:
    assert record("s3/put", "records.0.S3.Bucket.NAME=x")["s3"]["bucket"]["name"] == "x"


def test_an_exact_spelling_wins_over_one_that_differs_in_case() -> None:
    detail = event("eventbridge/custom", 'detail:={"id": 1, "ID": 2}', "detail.ID=3")["detail"]
    assert detail == {"id": 1, "ID": 3}


def test_a_spelling_that_could_mean_two_members_is_a_new_one_or_refused() -> None:
    assert event("eventbridge/custom", 'detail:={"id": 1, "ID": 2}', "detail.Id=3")["detail"]["Id"] == 3


@pytest.mark.parametrize("value", ["7", "true", "null", "", "a=b", '{"a": 1}', "  x ", "ü☃"])
def test_text_stays_text_whatever_it_looks_like(value: str) -> None:
    assert record("s3/put", f"Records.0.awsRegion={value}")["awsRegion"] == value


@pytest.mark.parametrize(("value", "expected"), [("7", 7), ("-1.5e3", -1500.0), (" 8 ", 8)])
def test_a_number_stays_a_number(value: str, expected: float) -> None:
    assert record("s3/put", f"Records.0.s3.object.size={value}")["s3"]["object"]["size"] == expected


def test_true_and_false_stay_so() -> None:
    assert event("apigateway/http-api", "isBase64Encoded=true")["isBase64Encoded"] is True


def test_a_list_takes_a_list_and_an_object_an_object() -> None:
    assert event("apigateway/http-api", 'cookies=["a=1","b=2"]')["cookies"] == ["a=1", "b=2"]
    assert event("apigateway/http-api", 'headers={"x": "1"}')["headers"] == {"x": "1"}


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        (f"Records.0.s3.object.size={SECRET}", "a number"),
        ("Records.0.s3.object.size=true", "a number"),
        ("Records.0.s3.object.size=NaN", "a number"),
        ("Records.0.s3.object.size=1e999", "a number"),
        (f"Records.0.s3.object.size={'9' * 5000}", "a number"),
        (f'Records.0.s3.object=["{SECRET}"]', "an object"),
        (f"Records={SECRET}", "a list"),
        ("Records=" + "[" * 100_000, "a list"),
        (f"Records.0.awsRegion:={SECRET}", "a JSON value"),
        (r'Records.0.awsRegion:="\ud800"', "a JSON value"),
    ],
)
def test_a_value_of_another_type_is_refused_without_being_repeated(setting: str, wanted: str) -> None:
    error = refused("s3/put", setting)
    assert error.message.endswith(f"the value is not {wanted}.")
    assert ":=" in error.hint


@pytest.mark.parametrize(("value", "expected"), [("7", 7), ("null", None), ('{"a":[1]}', {"a": [1]}), ('"x"', "x")])
def test_a_colon_puts_in_any_json_value(value: str, expected: Any) -> None:
    assert record("s3/put", f"Records.0.awsRegion:={value}")["awsRegion"] == expected


def test_a_new_header_is_text_and_the_lists_of_values_follow() -> None:
    changed = event("apigateway/rest-proxy", "headers.X-Attempt=2")
    assert changed["headers"]["X-Attempt"] == "2"
    assert changed["multiValueHeaders"]["X-Attempt"] == ["2"]


def test_a_dot_within_a_name_is_escaped() -> None:
    assert event("alb/request", r"headers.x\.y=1")["headers"]["x.y"] == "1"


def test_what_happened_is_the_users_own_and_may_grow_to_any_depth() -> None:
    detail = event("eventbridge/custom", "detail.customer.address.city=Ulm", "detail.total=9.5")["detail"]
    assert detail["customer"] == {"address": {"city": "Ulm"}}
    assert detail["total"] == 9.5


def test_an_absent_map_is_made_where_the_service_sends_one() -> None:
    assert event("lambda-url/request", "pathParameters.id=7")["pathParameters"] == {"id": "7"}
    update = event("cloudformation/custom-resource", "PhysicalResourceId=7", "OldResourceProperties.Name=a")
    assert update["PhysicalResourceId"] == "7"
    assert update["OldResourceProperties"] == {"Name": "a"}


def test_a_star_is_every_record() -> None:
    changed = event("sqs/batch", "Records.*.awsRegion=eu-west-1", repeat=("Records=3",))
    assert {item["awsRegion"] for item in changed["Records"]} == {"eu-west-1"}


@pytest.mark.parametrize(
    ("setting", "message", "hint"),
    [
        ("Recods.0.body=1", "the event has no Recods.", "Did you mean Records? It has Records."),
        ("Records.0.bdy=1", "Records.0 has no bdy.", "Did you mean body? It has messageId, receiptHandle, body,"),
        ("Records.1.body=1", "Records has no 1.", "It has 0."),
        ("Records.-1.body=1", "Records has no -1.", "It has 0."),
        ("Records.\u0663.body=1", "Records has no \u0663.", "It has 0."),
        (f"Records.{'1' * 5000}.body=1", "Records has no 111", "It has 0."),
        ("Records.0.awsRegion.x=1", "Records.0.awsRegion is text, and nothing lies below it.", "Shorten the path to"),
        ("Records.0.messageId.*=1", "Records.0.messageId is text, and nothing lies below it.", "Shorten the path to"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused_with_what_there_is(setting: str, message: str, hint: str) -> None:
    error = refused("sqs/batch", setting)
    assert message in error.message
    assert hint in error.hint


def test_text_that_is_not_json_has_nothing_below_it() -> None:
    error = refused("sqs/batch", f"Records.0.body={SECRET}", "Records.0.body.orderId=7")
    assert "not JSON" in error.message


@pytest.mark.parametrize("setting", ["Records", "=1", ":=1", "", f"{SECRET}"])
def test_a_setting_without_path_and_value_is_refused_with_the_form(setting: str) -> None:
    assert "--set Records.0.body=text" in refused("sqs/batch", setting).hint


@pytest.mark.parametrize("setting", ["Records..body=1", ".Records=1", "Records.=1"])
def test_a_path_with_an_empty_step_is_refused(setting: str) -> None:
    assert "empty step" in refused("sqs/batch", setting).message


def test_text_that_the_terminal_could_not_decode_is_refused() -> None:
    assert "not valid UTF-8" in refused("sqs/batch", "Records.0.body=\udcff").message


def test_the_digest_of_a_message_follows_its_body() -> None:
    for item in (
        record("sqs/batch", "Records.0.body=hello ☃"),
        record("sqs/batch", "Records.0.body.orderId=7"),
        event("sqs/batch", "Records.2.body=other", repeat=("Records=3",))["Records"][2],
    ):
        assert item["md5OfBody"] == hashlib.md5(item["body"].encode()).hexdigest()


def test_a_derived_field_that_is_set_itself_keeps_what_it_was_given_in_any_order() -> None:
    for settings in (
        ["Records.0.md5OfBody=wrong", "Records.0.body=x"],
        ["Records.0.body=x", "records.0.MD5ofbody=wrong"],
    ):
        assert record("sqs/batch", *settings)["md5OfBody"] == "wrong"


def test_a_derived_field_stays_where_its_source_is_no_longer_what_the_service_sends() -> None:
    before = record("sqs/batch")["md5OfBody"]
    assert record("sqs/batch", "Records.0.body:=7")["md5OfBody"] == before


def test_the_query_and_the_path_of_a_request_follow() -> None:
    changed = event("apigateway/http-api", "queryStringParameters.q=a b&c", "rawPath=/other")
    assert changed["rawQueryString"] == "dryRun=false&q=a+b%26c"
    assert changed["requestContext"]["http"]["path"] == "/other"
    assert event("apigateway/http-api", "queryStringParameters:=null")["rawQueryString"] == ""
    rest = event("apigateway/rest-proxy", "queryStringParameters:=null", "path=/other", "httpMethod=PUT")
    assert rest["multiValueQueryStringParameters"] is None
    assert rest["requestContext"]["path"] == "/prod/other"
    assert rest["requestContext"]["httpMethod"] == "PUT"


def test_the_arn_of_a_bucket_follows_its_name() -> None:
    assert record("s3/put", "Records.0.s3.bucket.name=mine")["s3"]["bucket"]["arn"] == "arn:aws:s3:::mine"
    changed = event("eventbridge/s3-object-created", "detail.bucket.name=mine")
    assert changed["resources"] == ["arn:aws:s3:::mine"]


def test_the_key_of_an_object_is_url_encoded_in_a_notification_but_not_on_the_bus() -> None:
    assert record("s3/put", "Records.0.s3.object.key=a b/ü+.jpg")["s3"]["object"]["key"] == "a+b/%C3%BC%2B.jpg"
    changed = event("eventbridge/s3-object-created", "detail.object.key=a b.jpg")
    assert changed["detail"]["object"]["key"] == "a b.jpg"


def test_kinesis_data_is_written_plainly_and_sent_in_base64() -> None:
    data = record("kinesis/stream", "Records.0.kinesis.data.orderId=7")["kinesis"]["data"]
    assert json.loads(base64.b64decode(data)) == {"orderId": "7", "quantity": 2}
    data = record("kinesis/stream", "Records.0.kinesis.data=plain ☃")["kinesis"]["data"]
    assert base64.b64decode(data).decode() == "plain ☃"
    data = record("kinesis/stream", 'Records.0.kinesis.data:="AAEC"')["kinesis"]["data"]
    assert data == "AAEC"


def test_binary_data_has_nothing_below_it() -> None:
    error = refused("kinesis/stream", 'Records.0.kinesis.data:="//79"', "Records.0.kinesis.data.orderId=7")
    assert "not JSON" in error.message


def test_kafka_keys_and_values_are_written_plainly() -> None:
    (changed,) = event("msk/records", "records.orders-0.0.key=7", "records.orders-0.0.value.quantity=3")["records"][
        "orders-0"
    ]
    assert base64.b64decode(changed["key"]) == b"7"
    assert json.loads(base64.b64decode(changed["value"])) == {"orderId": "1001", "quantity": 3}


def logs(*settings: str, repeat: tuple[str, ...] = ()) -> Any:
    data = event("logs/subscription", *settings, repeat=repeat)["awslogs"]["data"]
    return json.loads(gzip.decompress(base64.b64decode(data)))


def test_log_lines_are_set_inside_the_packed_data_even_inside_their_own_json() -> None:
    assert logs("awslogs.data.logGroup=/mine")["logGroup"] == "/mine"
    changed = logs("awslogs.data.logEvents.0.message.level=INFO", repeat=("awslogs.data.logEvents=3",))
    assert [json.loads(line["message"])["level"] for line in changed["logEvents"]] == ["INFO"] * 3
    assert len({line["id"] for line in changed["logEvents"]}) == 3


def test_data_that_is_not_packed_has_nothing_below_it() -> None:
    error = refused("logs/subscription", 'awslogs.data:="aGVsbG8="', "awslogs.data.logGroup=/mine")
    assert "not JSON" in error.message


def test_settings_are_in_every_repeated_record() -> None:
    changed = event("s3/put", "Records.0.s3.bucket.name=mine", repeat=("Records=4",))
    assert [item["s3"]["bucket"]["name"] for item in changed["Records"]] == ["mine"] * 4


def test_a_record_that_only_the_repetition_makes_can_be_set_alone() -> None:
    changed = event("sqs/batch", "Records.2.body=poison", "Records.0.awsRegion=eu-west-1", repeat=("Records=4",))
    assert [item["body"] == "poison" for item in changed["Records"]] == [False, False, True, False]
    assert {item["awsRegion"] for item in changed["Records"]} == {"eu-west-1"}


def test_a_record_beyond_the_repetition_is_refused() -> None:
    assert "Records has no 4." in refused("sqs/batch", "Records.4.body=x", repeat=("Records=4",)).message


def test_the_first_record_stays_as_it_is() -> None:
    assert event("sqs/batch", repeat=("Records=3",))["Records"][0] == record("sqs/batch")


def test_the_event_id_of_a_stream_follows_the_sequence_number() -> None:
    for item in event("kinesis/stream", repeat=("Records=3",))["Records"]:
        assert item["eventID"] == f"shardId-000000000000:{item['kinesis']['sequenceNumber']}"


def test_several_records_are_repeated_in_turn_and_a_smaller_number_takes_the_first() -> None:
    two = 'Records:=[{"body": "a", "messageId": "m"}, {"body": "b", "messageId": "n"}]'
    bodies = [item["body"] for item in event("sqs/batch", two, repeat=("Records=5",))["Records"]]
    assert bodies == ["a", "b", "a", "b", "a"]
    assert len(event("sqs/batch", two, repeat=("Records=1",))["Records"]) == 1


def test_ids_that_count_on_do_not_meet_those_of_the_other_records() -> None:
    two = 'Records:=[{"messageId": "1"}, {"messageId": "2"}]'
    ids = [item["messageId"] for item in event("sqs/batch", two, repeat=("Records=6",))["Records"]]
    assert ids == ["1", "2", "3", "4", "5", "6"]


@pytest.mark.parametrize("repeat", ["Records", "Records=", "=3", "Records=x", "Records=-1", "Records=1.5", ""])
def test_a_repetition_without_path_and_count_is_refused_with_the_form(repeat: str) -> None:
    assert "--repeat Records=100" in refused("sqs/batch", repeat=(repeat,)).hint


@pytest.mark.parametrize("count", [0, 10_001, 999_999_999])
def test_more_records_than_lambda_takes_and_none_are_refused(count: int) -> None:
    assert f"{count} records are not possible" in refused("sqs/batch", repeat=(f"Records={count}",)).message


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("Records.0.body", "this is text"),
        ("Records.0", "this is an object"),
        ("Recods", "Did you mean Records?"),
        ("Records.0.nothing", "Records.0 has no nothing"),
    ],
)
def test_only_a_list_with_records_can_be_repeated(path: str, words: str) -> None:
    error = refused("sqs/batch", repeat=(f"{path}=3",))
    assert words in f"{error.message} {error.hint}"


def test_an_empty_list_has_nothing_to_repeat() -> None:
    assert "an empty list" in refused("sqs/batch", "Records:=[]", repeat=("Records=3",)).message


def test_ids_that_the_user_took_away_are_not_missed() -> None:
    changed = event("dynamodb/stream", "Records.0.dynamodb.OldImage:=null", repeat=("Records=3",))
    assert [item["dynamodb"]["OldImage"] for item in changed["Records"]] == [None] * 3
    changed = event("dynamodb/stream", 'Records.0.dynamodb:={"Keys": {"orderId": {"N": "7"}}}', repeat=("Records=3",))
    assert [item["dynamodb"] for item in changed["Records"]] == [{"Keys": {"orderId": {"N": "7"}}}] * 3


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (41, 42),
        ("41", "42"),
        ("0099", "0100"),
        ("99", "100"),
        ("0123456789abcdef", "0123456789abcdf0"),
        ("FFFFFFFF", "00000000"),
        ("6a7b8c9d-0e1f-4203-9415-2637485960ff", "6a7b8c9d-0e1f-4203-9415-263748596100"),
        ("photos/a.jpg", "photos/a-1.jpg"),
        ("photos.d/a", "photos.d/a-1"),
        ("photos/.hidden", "photos/.hidden-1"),
        ("plain", "plain-1"),
        ("abc", "abc-1"),
        ("", "-1"),
        ("1" * 5000, "1" * 5000 + "-1"),
        (True, True),
        (None, None),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_the_next_id_has_the_form_of_the_one_before(value: Any, expected: Any) -> None:
    assert next_id(value, 1) == expected

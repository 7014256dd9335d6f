from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tuner.errors import PayloadError
from tuner.inputs.event_edits import up_to_date
from tuner.inputs.event_fields import Editor, decode
from tuner.inputs.event_shape import matches, parse_path
from tuner.inputs.events import FOLDER, CatalogueEvent, catalogue, event_notices, find_event, pretty, read_event
from tuner.model import Severity

IDENTITY = "sourceIp, userAgent"
HTTP = "method, path, protocol, sourceIp, userAgent"
V2 = f"""version, routeKey, rawPath, rawQueryString, cookies, headers, queryStringParameters, pathParameters,
    stageVariables, requestContext{{accountId, apiId, authorizer, domainName, domainPrefix, http{{{HTTP}}}, requestId,
    routeKey, stage, time, timeEpoch}}, body, isBase64Encoded"""
EVENTBRIDGE = "version, id, detail-type, source, account, time, region, resources, detail"
COGNITO = "version, triggerSource, region, userPoolId, userName, callerContext{awsSdkVersion, clientId}"
STATE = "value, reason, reasonData, timestamp"


def s3(of_object: str) -> str:
    return f"""Records[]{{eventVersion, eventSource, awsRegion, eventTime, eventName, userIdentity, requestParameters,
    responseElements, s3{{s3SchemaVersion, configurationId, bucket{{name, ownerIdentity, arn}},
    object{{{of_object}}}}}}}"""


FIELDS = {
    "alb/request": """requestContext{elb{targetGroupArn}}, httpMethod, path, queryStringParameters, headers, body,
        isBase64Encoded""",
    "apigateway/authorizer-request": """type, methodArn, resource, path, httpMethod, headers, queryStringParameters,
        pathParameters, stageVariables, requestContext{accountId, apiId, httpMethod, identity{apiKey, sourceIp}, path,
        requestId, resourceId, resourcePath, stage}""",
    "apigateway/authorizer-token": "type, authorizationToken, methodArn",
    "apigateway/authorizer-v2": f"""version, type, routeArn, identitySource, routeKey, rawPath, rawQueryString,
        cookies, headers, queryStringParameters, requestContext{{accountId, apiId, domainName, domainPrefix,
        http{{{HTTP}}}, requestId, routeKey, stage, time, timeEpoch}}, pathParameters, stageVariables""",
    "apigateway/http-api": V2,
    "apigateway/rest-proxy": f"""resource, path, httpMethod, headers, multiValueHeaders, queryStringParameters,
        multiValueQueryStringParameters, pathParameters, stageVariables, requestContext{{accountId, apiId, domainName,
        httpMethod, identity{{{IDENTITY}}}, path, protocol, requestId, requestTime, requestTimeEpoch, resourceId,
        resourcePath, stage}}, body, isBase64Encoded""",
    "appsync/resolver": """arguments, identity{claims, defaultAuthStrategy, groups, issuer, sourceIp, sub, username},
        source, request{headers, domainName}, prev, info{selectionSetList, selectionSetGraphQL, fieldName,
        parentTypeName, variables}, stash""",
    "bedrock/agent": """messageVersion, agent{name, id, alias, version}, inputText, sessionId, actionGroup, apiPath,
        httpMethod, parameters[]{name, type, value}, requestBody{content}, sessionAttributes,
        promptSessionAttributes""",
    "cloudformation/custom-resource": """RequestType, ServiceToken, ResponseURL, StackId, RequestId,
        LogicalResourceId, ResourceType, ResourceProperties""",
    "cloudfront/viewer-request": """Records[]{cf{config{distributionDomainName, distributionId, eventType, requestId},
        request{clientIp, headers, method, querystring, uri}}}""",
    "cloudwatch/alarm": f"""source, alarmArn, accountId, time, region, alarmData{{alarmName, state{{{STATE}}},
        previousState{{{STATE}}}, configuration{{description, metrics[]{{id, metricStat{{metric{{namespace, name,
        dimensions}}, period, stat}}, returnData}}}}}}""",
    "cognito/pre-signup": f"""{COGNITO}, request{{userAttributes, validationData, clientMetadata}},
        response{{autoConfirmUser, autoVerifyEmail, autoVerifyPhone}}""",
    "cognito/pre-token-generation": f"""{COGNITO}, request{{userAttributes, groupConfiguration{{groupsToOverride,
        iamRolesToOverride, preferredRole}}, clientMetadata}}, response{{claimsOverrideDetails}}""",
    "dynamodb/stream": """Records[]{eventID, eventName, eventVersion, eventSource, awsRegion,
        dynamodb{ApproximateCreationDateTime, Keys, NewImage, OldImage, SequenceNumber, SizeBytes, StreamViewType},
        eventSourceARN}""",
    "eventbridge/custom": EVENTBRIDGE,
    "eventbridge/s3-object-created": f"""{EVENTBRIDGE}{{version, bucket{{name}}, object{{key, size, etag, version-id,
        sequencer}}, request-id, requester, source-ip-address, reason}}""",
    "eventbridge/scheduled": EVENTBRIDGE,
    "firehose/transform": """invocationId, deliveryStreamArn, region, records[]{recordId, approximateArrivalTimestamp,
        data}""",
    "iot/rule": "deviceId, temperature, humidity, topic, timestamp",
    "kinesis/stream": """Records[]{kinesis{kinesisSchemaVersion, partitionKey, sequenceNumber, data,
        approximateArrivalTimestamp}, eventSource, eventVersion, eventID, eventName, invokeIdentityArn, awsRegion,
        eventSourceARN}""",
    "lambda-url/request": V2,
    "lex/v2": """messageVersion, invocationSource, inputMode, responseContentType, sessionId, inputTranscript,
        invocationLabel, bot{id, name, localeId, version, aliasId, aliasName}, interpretations[]{interpretationSource,
        intent{name, slots, state, confirmationState}, nluConfidence}, proposedNextState{dialogAction{type},
        intent{name, slots, state, confirmationState}, prompt{attempt}}, requestAttributes,
        sessionState{activeContexts, sessionAttributes, intent{name, slots, state, confirmationState},
        originatingRequestId}, transcriptions[]{transcription, transcriptionConfidence, resolvedContext{intent},
        resolvedSlots}""",
    "logs/subscription": "awslogs{data}",
    "msk/records": """eventSource, eventSourceArn, bootstrapServers, records{orders-0[]{topic, partition, offset,
        timestamp, timestampType, key, value, headers}}""",
    "s3/delete": s3("key, sequencer"),
    "s3/put": s3("key, size, eTag, sequencer"),
    "secretsmanager/rotation": "Step, SecretId, ClientRequestToken",
    "ses/receive": """Records[]{eventSource, eventVersion, ses{mail{timestamp, source, messageId, destination,
        headersTruncated, headers[]{name, value}, commonHeaders{returnPath, from, date, to, messageId, subject}},
        receipt{timestamp, processingTimeMillis, recipients, spamVerdict{status}, virusVerdict{status},
        spfVerdict{status}, dkimVerdict{status}, dmarcVerdict{status}, action{type, functionArn,
        invocationType}}}}""",
    "sns/notification": """Records[]{EventSource, EventVersion, EventSubscriptionArn, Sns{Type, MessageId, TopicArn,
        Subject, Message, Timestamp, SignatureVersion, Signature, SigningCertUrl, UnsubscribeUrl, MessageAttributes}}
        """,
    "sqs/batch": """Records[]{messageId, receiptHandle, body, attributes, messageAttributes, md5OfBody, eventSource,
        eventSourceARN, awsRegion}""",
    "stepfunctions/task-input": "input, execution{Id, Name, StartTime}, taskToken",
}
"""The fields of every event in their order. ``{}`` lists those of an object, ``[]{}`` those of each in a list."""

UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")
HOST = re.compile(r"(?:[a-z0-9-]+\.)+(?:com|net|org|io|aws|dev|edu|gov|cn|eu|de|uk|app|cloud|info)\b", re.IGNORECASE)

EACH_EVENT = pytest.mark.parametrize("event", catalogue(), ids=lambda event: event.name)


def text_of(event: CatalogueEvent) -> str:
    return (FOLDER / event.service / f"{event.type}.json").read_text(encoding="utf-8")


def everything(event: CatalogueEvent) -> str:
    """The text of the file, and of all that is encoded in it."""
    document = json.loads(text_of(event))
    texts = [text_of(event)]
    for pattern, encoding in event.shape.encoded.items():

        def note(value: Any, _at: tuple[str, ...], encoding: Any = encoding) -> Any:
            texts.append(decode(value, encoding))
            return value

        Editor(note, event.shape).edit(document, parse_path(pattern))
    return UUID.sub("(uuid)", "\n".join(texts))


def check_fields(value: Any, tokens: Iterator[str]) -> None:
    """Reads ``name, name{...}, name[]{...}`` up to a closing brace, and compares it with ``value``."""
    expected: list[str] = []
    values = value if isinstance(value, list) else [value]
    pending: list[Any] = []
    for token in tokens:
        match token:
            case "{":
                check_fields(pending, tokens)
            case "}":
                break
            case "[]":
                pending = [item for items in pending for item in items]
                assert pending, f"{expected[-1]} is empty"
            case name:
                expected.append(name)
                pending = [item[name] for item in values]
    assert values
    for item in values:
        assert list(item) == expected


@EACH_EVENT
def test_an_event_has_exactly_the_documented_fields_in_their_order(event: CatalogueEvent) -> None:
    tokens = re.findall(r"[{}]|\[\]|[^{}\[\],\s]+", FIELDS[event.name])
    check_fields(json.loads(text_of(event)), iter(tokens))


def test_the_index_lists_every_file_and_every_file_is_listed() -> None:
    files = {str(path.relative_to(FOLDER).with_suffix("")) for path in FOLDER.glob("*/*.json")}
    names = [event.name for event in catalogue()]
    assert set(names) == files == set(FIELDS)
    assert names == sorted(names)
    assert len(names) == len(set(names)) == 31


@EACH_EVENT
def test_a_file_is_written_the_way_events_are_shown(event: CatalogueEvent) -> None:
    assert text_of(event) == pretty(read_event(event.name))


@EACH_EVENT
def test_an_event_holds_reserved_accounts_addresses_and_names_only(event: CatalogueEvent) -> None:
    text = everything(event)
    assert set(re.findall(r"(?<!\d)(?<!shardId-)\d{12}(?!\d)", text)) <= {"123456789012"}
    assert all(host.endswith("example.com") for host in HOST.findall(text)), HOST.findall(text)
    assert all(ip.startswith("192.0.2.") for ip in re.findall(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", text))
    assert all(key.endswith("EXAMPLE") for key in re.findall(r"\b(?:AKIA|ASIA|AIDA|AROA)[A-Z0-9]{16}\b", text))


@EACH_EVENT
def test_what_is_encoded_can_be_decoded_and_is_encoded_as_a_change_would(event: CatalogueEvent) -> None:
    document = json.loads(text_of(event))
    for pattern, encoding in event.shape.encoded.items():
        reached: list[str] = []

        def note(value: Any, _at: tuple[str, ...], encoding: Any = encoding, reached: list[str] = reached) -> Any:
            reached.append(decode(value, encoding))
            return value

        edited = Editor(note, event.shape).edit(document, parse_path(pattern))
        assert readable(edited, event) == readable(document, event)
        assert reached, pattern


def readable(document: Any, event: CatalogueEvent) -> Any:
    """``document`` with its encoded fields as text, innermost first: libraries pack the same text to other bytes."""
    for pattern, encoding in sorted(event.shape.encoded.items(), key=lambda item: -len(parse_path(item[0]))):

        def unpack(value: Any, _at: tuple[str, ...], encoding: Any = encoding) -> Any:
            return decode(value, encoding)

        document = Editor(unpack, event.shape).edit(document, parse_path(pattern))
    return document


@EACH_EVENT
def test_what_follows_from_other_fields_is_true_in_the_file(event: CatalogueEvent) -> None:
    document = json.loads(text_of(event))
    assert up_to_date(document, event.shape) == document
    for derived in event.shape.derived:
        changed = Editor(lambda _old, _at: "changed", event.shape).edit(document, parse_path(derived.path))
        assert up_to_date(changed, event.shape) == document, f"{derived.path} is not computed"


@EACH_EVENT
def test_every_variable_of_the_index_can_be_set(event: CatalogueEvent) -> None:
    assert event.variables
    for variable in event.variables:
        changed = read_event(event.name, [f'{variable.path}:="changed"'])
        assert json.loads(changed) != json.loads(text_of(event)), variable.path


@EACH_EVENT
def test_the_index_says_where_the_event_is_documented_and_what_replaying_does(event: CatalogueEvent) -> None:
    assert re.fullmatch(r"https://docs\.aws\.amazon\.com/[\w/.-]+\.html", event.documentation)
    assert event.title
    assert event.touches_resources == (event.reason is not None)


@EACH_EVENT
def test_every_list_that_can_be_repeated_has_new_ids_in_each_record(event: CatalogueEvent) -> None:
    for path in event.repeatable:
        repeated = json.loads(read_event(event.name, (), [f"{path}=25"]))
        steps = parse_path(path)
        below = [pattern for pattern in event.shape.unique if matches(parse_path(pattern)[: len(steps)], steps)]
        assert below
        for pattern in below:
            ids: list[Any] = []

            def note(value: Any, _at: tuple[str, ...], ids: list[Any] = ids) -> Any:
                ids.append(value)
                return value

            Editor(note, event.shape).edit(repeated, parse_path(pattern))
            assert len(ids) == len(set(ids)) == 25, pattern


def test_events_that_act_on_what_they_name_come_with_a_warning() -> None:
    (notice,) = event_notices("secretsmanager/rotation")
    assert notice.severity is Severity.WARNING
    assert notice.code == "event-touches-resources"
    assert "rotates the secret" in notice.message
    assert notice.remedy is not None
    assert event_notices("kinesis/stream") == ()
    touching = {event.name for event in catalogue() if event_notices(event.name)}
    assert touching == {
        "cloudformation/custom-resource",
        "cloudwatch/alarm",
        "eventbridge/s3-object-created",
        "s3/delete",
        "s3/put",
        "secretsmanager/rotation",
        "ses/receive",
        "stepfunctions/task-input",
    }


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("sqs", "sqs/batch"),
        ("S3/PUT", "s3/put"),
        ("s3-put", "s3/put"),
        ("apigateway/http-apo", "apigateway/http-api"),
        ("sqs/batch.json", "sqs/batch"),
        ("kinesis/streams", "kinesis/stream"),
    ],
)
def test_an_unknown_event_is_refused_with_near_names(name: str, suggestion: str) -> None:
    with pytest.raises(PayloadError) as caught:
        find_event(name)
    assert suggestion in caught.value.hint
    assert caught.value.hint.endswith("`tuner event list` shows all of them.")


@pytest.mark.parametrize("name", ["", "../index", "index", "x" * 1000, "\ud800"])
def test_a_name_like_no_other_gets_no_suggestion_made_up(name: str) -> None:
    with pytest.raises(PayloadError) as caught:
        read_event(name)
    assert caught.value.hint == "`tuner event list` shows all of them."


def test_an_event_is_sent_as_compact_json_in_the_order_of_the_file() -> None:
    payload = read_event("apigateway/authorizer-token")
    assert payload.startswith(b'{"type":"TOKEN","authorizationToken":"Bearer example-token","methodArn":"arn:')
    assert payload == read_event("apigateway/authorizer-token")


def test_an_event_beyond_lambdas_limit_is_refused_with_its_size() -> None:
    with pytest.raises(PayloadError) as caught:
        read_event("sqs/batch", [f"Records.0.body={'x' * 1000}"], ["Records=10000"])
    assert re.search(r"\d+\.\d MB long", caught.value.message)
    assert "--repeat a smaller number" in caught.value.hint

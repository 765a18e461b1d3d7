//! Records: views of log records, spans and profiles. Accessors bear the names of the schema.

use super::message::views;

views! {
    /// A log record.
    LogRecord of LOG_RECORD {
        time_unix_nano: number,
        observed_time_unix_nano: number,
        severity_number: int,
        severity_text: text,
        body: value,
        attributes: attributes,
        dropped_attributes_count: number,
        flags: number,
        trace_id: data,
        span_id: data,
        event_name: text,
    }

    /// A span.
    Span of SPAN {
        trace_id: data,
        span_id: data,
        trace_state: text,
        parent_span_id: data,
        flags: number,
        name: text,
        kind: int,
        start_time_unix_nano: number,
        end_time_unix_nano: number,
        attributes: attributes,
        dropped_attributes_count: number,
        events: [SpanEvent],
        dropped_events_count: number,
        links: [SpanLink],
        dropped_links_count: number,
        status: (Status),
    }

    /// An event in a span.
    SpanEvent of SPAN_EVENT {
        time_unix_nano: number,
        name: text,
        attributes: attributes,
        dropped_attributes_count: number,
    }

    /// A link from a span to another.
    SpanLink of SPAN_LINK {
        trace_id: data,
        span_id: data,
        trace_state: text,
        attributes: attributes,
        dropped_attributes_count: number,
        flags: number,
    }

    /// How a span ended.
    Status of STATUS {
        message: text,
        code: int,
    }

    /// A profile; its numbers point into the dictionary of the request.
    Profile of PROFILE {
        samples: [Sample],
        time_unix_nano: number,
        duration_nano: number,
        period: signed,
        profile_id: data,
        dropped_attributes_count: number,
        original_payload_format: text,
    }

    /// A sample of a profile.
    Sample of SAMPLE {
        stack_index: int,
        attribute_indices: varint_list,
        link_index: int,
        values: varint_list,
        timestamps_unix_nano: fixed_list,
    }
}

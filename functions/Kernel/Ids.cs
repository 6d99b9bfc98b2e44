using System.Text.Json.Serialization;

namespace Flex.Kernel;

/// <summary>A place of the operator, with its time zone and currency.</summary>
[JsonConverter(typeof(EntityIdConverter<LocationId>))]
public readonly record struct LocationId : IEntityId<LocationId>
{
    private LocationId(string value) => Value = value;

    public static string Prefix => "loc";

    public string Value { get; }

    public static LocationId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A tax rate with its components.</summary>
[JsonConverter(typeof(EntityIdConverter<TaxRateId>))]
public readonly record struct TaxRateId : IEntityId<TaxRateId>
{
    private TaxRateId(string value) => Value = value;

    public static string Prefix => "tax";

    public string Value { get; }

    public static TaxRateId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A sellable plan.</summary>
[JsonConverter(typeof(EntityIdConverter<PlanId>))]
public readonly record struct PlanId : IEntityId<PlanId>
{
    private PlanId(string value) => Value = value;

    public static string Prefix => "pln";

    public string Value { get; }

    public static PlanId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A bookable resource.</summary>
[JsonConverter(typeof(EntityIdConverter<ResourceId>))]
public readonly record struct ResourceId : IEntityId<ResourceId>
{
    private ResourceId(string value) => Value = value;

    public static string Prefix => "res";

    public string Value { get; }

    public static ResourceId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>Who is billed: a company or a person.</summary>
[JsonConverter(typeof(EntityIdConverter<CustomerId>))]
public readonly record struct CustomerId : IEntityId<CustomerId>
{
    private CustomerId(string value) => Value = value;

    public static string Prefix => "cus";

    public string Value { get; }

    public static CustomerId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A person who belongs to a customer.</summary>
[JsonConverter(typeof(EntityIdConverter<MemberId>))]
public readonly record struct MemberId : IEntityId<MemberId>
{
    private MemberId(string value) => Value = value;

    public static string Prefix => "mbr";

    public string Value { get; }

    public static MemberId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A subscription to a plan. Its home is the location's, because memberships are partitioned by location.</summary>
[JsonConverter(typeof(EntityIdConverter<MembershipId>))]
public readonly record struct MembershipId : IEntityId<MembershipId>
{
    private MembershipId(string value) => Value = value;

    public static string Prefix => "mem";

    public static bool HasHome => true;

    public string Value { get; }

    public static MembershipId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A booking. Its home is the location's, because bookings are partitioned by location.</summary>
[JsonConverter(typeof(EntityIdConverter<BookingId>))]
public readonly record struct BookingId : IEntityId<BookingId>
{
    private BookingId(string value) => Value = value;

    public static string Prefix => "bkg";

    public static bool HasHome => true;

    public string Value { get; }

    public static BookingId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>An invoice.</summary>
[JsonConverter(typeof(EntityIdConverter<InvoiceId>))]
public readonly record struct InvoiceId : IEntityId<InvoiceId>
{
    private InvoiceId(string value) => Value = value;

    public static string Prefix => "inv";

    public string Value { get; }

    public static InvoiceId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A charge waiting for an invoice. Its home is the customer's, because open charges are partitioned by customer.</summary>
[JsonConverter(typeof(EntityIdConverter<ChargeId>))]
public readonly record struct ChargeId : IEntityId<ChargeId>
{
    private ChargeId(string value) => Value = value;

    public static string Prefix => "chg";

    public static bool HasHome => true;

    public string Value { get; }

    public static ChargeId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>One run of the automatic invoicing.</summary>
[JsonConverter(typeof(EntityIdConverter<BillRunId>))]
public readonly record struct BillRunId : IEntityId<BillRunId>
{
    private BillRunId(string value) => Value = value;

    public static string Prefix => "brn";

    public string Value { get; }

    public static BillRunId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A rate for bookable resources.</summary>
[JsonConverter(typeof(EntityIdConverter<RateId>))]
public readonly record struct RateId : IEntityId<RateId>
{
    private RateId(string value) => Value = value;

    public static string Prefix => "rat";

    public string Value { get; }

    public static RateId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A recurring booking. Its home is the location's, as its bookings' is.</summary>
[JsonConverter(typeof(EntityIdConverter<SeriesId>))]
public readonly record struct SeriesId : IEntityId<SeriesId>
{
    private SeriesId(string value) => Value = value;

    public static string Prefix => "ser";

    public static bool HasHome => true;

    public string Value { get; }

    public static SeriesId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A prepaid booking pass of a member.</summary>
[JsonConverter(typeof(EntityIdConverter<BookingPassId>))]
public readonly record struct BookingPassId : IEntityId<BookingPassId>
{
    private BookingPassId(string value) => Value = value;

    public static string Prefix => "bps";

    public string Value { get; }

    public static BookingPassId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>Credit that staff gave a member beside the plan.</summary>
[JsonConverter(typeof(EntityIdConverter<CreditGrantId>))]
public readonly record struct CreditGrantId : IEntityId<CreditGrantId>
{
    private CreditGrantId(string value) => Value = value;

    public static string Prefix => "grt";

    public string Value { get; }

    public static CreditGrantId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A day pass of a member or a company. Its home is the holder's, because passes are partitioned by holder.</summary>
[JsonConverter(typeof(EntityIdConverter<DayPassId>))]
public readonly record struct DayPassId : IEntityId<DayPassId>
{
    private DayPassId(string value) => Value = value;

    public static string Prefix => "dps";

    public static bool HasHome => true;

    public string Value { get; }

    public static DayPassId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A member's day at a location. Its home is the member's, because check-ins are partitioned by member.</summary>
[JsonConverter(typeof(EntityIdConverter<CheckInId>))]
public readonly record struct CheckInId : IEntityId<CheckInId>
{
    private CheckInId(string value) => Value = value;

    public static string Prefix => "chk";

    public static bool HasHome => true;

    public string Value { get; }

    public static CheckInId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>A credit note.</summary>
[JsonConverter(typeof(EntityIdConverter<CreditNoteId>))]
public readonly record struct CreditNoteId : IEntityId<CreditNoteId>
{
    private CreditNoteId(string value) => Value = value;

    public static string Prefix => "crn";

    public string Value { get; }

    public static CreditNoteId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

/// <summary>Work on a recurring booking that may outlast its request. Its home is the location's.</summary>
[JsonConverter(typeof(EntityIdConverter<OperationId>))]
public readonly record struct OperationId : IEntityId<OperationId>
{
    private OperationId(string value) => Value = value;

    public static string Prefix => "opr";

    public static bool HasHome => true;

    public string Value { get; }

    public static OperationId FromValidated(string value) => new(value);

    public override string ToString() => Value;
}

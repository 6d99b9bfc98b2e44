using System.Text.Json.Nodes;
using NodaTime;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// What the outside world does to the account: card holders, banks, networks and the Dashboard. Under <c>/control</c>,
/// form-encoded like the API, without a key.
/// </summary>
internal sealed class ControlEndpoints(StripeWorld world, Payments payments, Setups setups, Refunds refunds, Disputes disputes)
{
    private StripeStore Store => world.Store;

    public void Map(StripeRoutes routes)
    {
        routes.Map("POST", "/control/payment_methods/{id}/behaviour", SetBehaviour);
        routes.Map("POST", "/control/payment_methods/{id}/automatic_update", UpdateAutomatically);
        routes.Map("POST", "/control/intents/{id}/authenticate", Authenticate);
        routes.Map("POST", "/control/charges/{id}/dispute", Dispute);
        routes.Map("POST", "/control/disputes/{id}/close", CloseDispute);
        routes.Map("POST", "/control/refunds/{id}/fail", FailRefund);
        routes.Map("POST", "/control/readers/{id}", SetReader);
        routes.Map("POST", "/control/webhook_endpoints/{id}/roll_secret", RollSecret);
        routes.Map("POST", "/control/events/{id}/resend", Resend);
    }

    /// <summary><c>behaviour=pm_card_chargeDeclined</c>: from now on the saved method behaves like that test name.</summary>
    private JsonObject SetBehaviour(StripeCall call)
    {
        PaymentMethodRow row = Store.PaymentMethods.Find(call.Id) ?? throw StripeProblem.Missing("PaymentMethod", call.Id);
        string name = call.Params.Required("behaviour");
        call.Params.RejectOthers();
        StripeTestMethod method = StripeTestMethods.Named(name) is { } known && known.Type == StripeTestMethods.Of(row).Type ? known
            : throw StripeProblem.Invalid($"'{name}' is not the name of a test {row.Type}.", "behaviour");
        return world.Render.Object(Store.PaymentMethods.Put(row with { Behaviour = method.Name, Last4 = row.Last4 ?? StripeTestMethods.Of(row).Last4 }));
    }

    /// <summary>The card network replaced the card: new expiry and optionally new last digits.</summary>
    private JsonObject UpdateAutomatically(StripeCall call)
    {
        PaymentMethodRow before = Store.PaymentMethods.Find(call.Id) ?? throw StripeProblem.Missing("PaymentMethod", call.Id);
        PaymentMethodRow after = before with
        {
            Last4 = call.Params.Text("last4") ?? before.Last4,
            ExpMonth = (int)(call.Params.Whole("exp_month") ?? before.ExpMonth),
            ExpYear = (int)(call.Params.Whole("exp_year") ?? before.ExpYear),
        };
        call.Params.RejectOthers();
        after = Store.PaymentMethods.Put(after);
        world.EmitChange("payment_method.automatically_updated", before, after);
        return world.Render.Object(after);
    }

    /// <summary><c>outcome=success|failure</c>: the customer answers the authentication of a payment or setup intent.</summary>
    private JsonObject Authenticate(StripeCall call)
    {
        bool success = (call.Params.OneOf("outcome", "success", "failure") ?? "success") == "success";
        call.Params.RejectOthers();
        if (Store.PaymentIntents.Find(call.Id) is { Status: PaymentStatus.RequiresAction } intent)
        {
            return world.Render.Object(payments.Authenticate(intent, success));
        }

        return Store.SetupIntents.Find(call.Id) is { Status: PaymentStatus.RequiresAction } setup
            ? world.Render.Object(setups.Authenticate(setup, success))
            : throw StripeProblem.Invalid($"No intent '{call.Id}' requires action.");
    }

    /// <summary>A chargeback, or the late return of a bank debit: <c>reason</c>, <c>inquiry</c>.</summary>
    private JsonObject Dispute(StripeCall call)
    {
        ChargeRow charge = ChargeEndpoints.Find(Store, call.Id, "id");
        string reason = call.Params.Text("reason") ?? "fraudulent";
        bool inquiry = call.Params.Flag("inquiry") ?? false;
        call.Params.RejectOthers();
        return world.Render.Object(disputes.Open(charge, reason, inquiry));
    }

    /// <summary><c>outcome=won|lost</c>: the bank decides.</summary>
    private JsonObject CloseDispute(StripeCall call)
    {
        DisputeRow dispute = Store.Disputes.Find(call.Id) ?? throw StripeProblem.Missing("dispute", call.Id);
        bool won = call.Params.OneOf("outcome", "won", "lost") == "won";
        call.Params.RejectOthers();
        return world.Render.Object(disputes.Close(dispute, won));
    }

    private JsonObject FailRefund(StripeCall call)
    {
        RefundRow refund = Store.Refunds.Find(call.Id) ?? throw StripeProblem.Missing("refund", call.Id);
        string reason = call.Params.Text("reason") ?? "expired_or_canceled_card";
        call.Params.RejectOthers();
        return world.Render.Object(refunds.Fail(refund, reason));
    }

    /// <summary><c>status=online|offline</c>, <c>busy=true|false</c>.</summary>
    private JsonObject SetReader(StripeCall call)
    {
        ReaderRow reader = Store.Readers.Find(call.Id) ?? throw StripeProblem.Missing("terminal.reader", call.Id);
        reader = reader with
        {
            Status = call.Params.OneOf("status", "online", "offline") ?? reader.Status,
            Busy = call.Params.Flag("busy") ?? reader.Busy,
        };
        call.Params.RejectOthers();
        return world.Render.Object(Store.Readers.Put(reader));
    }

    /// <summary>A new signing secret; the old one stays valid for <c>overlap_hours</c> (24 by default).</summary>
    private JsonObject RollSecret(StripeCall call)
    {
        EndpointRow row = Store.Endpoints.Find(call.Id) ?? throw StripeProblem.Missing("webhook endpoint", call.Id);
        long hours = call.Params.Whole("overlap_hours") ?? 24;
        call.Params.RejectOthers();
        row = Store.Endpoints.Put(row with
        {
            Secret = world.NewId("whsec"),
            PreviousSecret = row.Secret,
            PreviousUntil = world.Now + Duration.FromHours(hours),
        });
        JsonObject json = world.Render.Object(row);
        json["secret"] = row.Secret;
        return json;
    }

    /// <summary>Sends the event again to every endpoint that wants it, as the Dashboard's button does.</summary>
    private JsonObject Resend(StripeCall call)
    {
        EventRow happened = Store.Events.Find(call.Id) ?? throw StripeProblem.Missing("event", call.Id);
        call.Params.RejectOthers();
        int copies = 0;
        foreach ((string endpoint, IReadOnlyList<string> enabled) in StripeEndpoints.Active(world).ToList())
        {
            if (enabled.Contains(happened.Type) || enabled.Contains("*"))
            {
                world.Schedule(new WorkRow
                {
                    Id = world.NewId("work"),
                    Kind = StripeWorkKinds.Deliver,
                    Due = world.Now,
                    Target = happened.Id,
                    Endpoint = endpoint,
                });
                copies++;
            }
        }

        return StripeRenderer.Event(Store.Events.Put(happened with { Pending = happened.Pending + copies }));
    }
}

using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary>
/// Server-driven readers. A reader has one action slot: a new command replaces an action that is still waiting for a card,
/// also silently a payment by a display. Nothing happens until a card is presented.
/// </summary>
internal sealed class Terminal(StripeWorld world, PaymentMethods methods, Payments payments, Setups setups, Refunds refunds)
{
    private StripeStore Store => world.Store;

    public ReaderRow Start(ReaderRow reader, string type, JsonObject detail, string? intent)
    {
        RefuseUnavailable(reader);
        return Store.Readers.Put(reader with
        {
            Action = new ReaderActionRow(type, "in_progress", detail) { Intent = intent },
            LastSeen = world.Now,
        });
    }

    public ReaderRow Cancel(ReaderRow reader)
    {
        RefuseUnavailable(reader);
        return Store.Readers.Put(reader with { Action = null, LastSeen = world.Now });
    }

    /// <summary>A card is held to the reader: whatever the reader waits for happens now.</summary>
    public ReaderRow Present(ReaderRow reader, StripeTestMethod card, long? tip)
    {
        if (reader.Action is not { Status: "in_progress" } action || action.Type == "set_reader_display")
        {
            throw StripeProblem.Invalid("The reader is not waiting for a payment method.", null, "terminal_reader_invalid_state");
        }

        StripeFailure? failure = action.Type switch
        {
            "process_payment_intent" => Pay(reader, action, card, tip),
            "process_setup_intent" => SetUp(reader, action, card),
            _ => Refund(action),
        };
        if (action.Type == "process_setup_intent" && failure is null)
        {
            SetupIntentRow setup = Store.SetupIntents.Get(action.Intent!);
            var detail = (JsonObject)action.Detail.DeepClone();
            detail["generated_card"] = Store.SetupAttempts.Get(setup.LatestAttempt!).GeneratedCard;
            action = action with { Detail = detail };
        }

        reader = Store.Readers.Put(reader with
        {
            Action = action with { Status = failure is null ? "succeeded" : "failed", Failure = failure },
            LastSeen = world.Now,
        });
        world.Emit(failure is null ? "terminal.reader.action_succeeded" : "terminal.reader.action_failed", reader);
        return reader;
    }

    private StripeFailure? Pay(ReaderRow reader, ReaderActionRow action, StripeTestMethod card, long? tip)
    {
        PaymentIntentRow intent = Store.PaymentIntents.Get(action.Intent!);
        if (intent.Status is not (PaymentStatus.RequiresPaymentMethod or PaymentStatus.RequiresConfirmation))
        {
            return new StripeFailure("payment_intent_unexpected_state", $"The PaymentIntent is {intent.Status}.") { Type = "invalid_request_error" };
        }

        PaymentMethodRow presented = methods.Create(card, "card_present");
        intent = payments.Confirm(intent with { Tip = tip ?? intent.Tip }, presented, new Confirmation(OffSession: false) { Reader = reader });
        return intent.LastError;
    }

    private StripeFailure? SetUp(ReaderRow reader, ReaderActionRow action, StripeTestMethod card)
    {
        SetupIntentRow setup = Store.SetupIntents.Get(action.Intent!);
        string redisplay = (string?)action.Detail["allow_redisplay"] ?? "unspecified";
        PaymentMethodRow presented = Store.PaymentMethods.Put(methods.Create(card, "card_present") with { AllowRedisplay = redisplay });
        return setups.Confirm(setup, presented, new Confirmation(OffSession: false) { Reader = reader }).LastError;
    }

    private StripeFailure? Refund(ReaderActionRow action)
    {
        ChargeRow charge = Store.Charges.Get(action.Intent!);
        try
        {
            refunds.Create(charge, (long?)action.Detail["amount"], (string?)action.Detail["reason"], []);
            return null;
        }
        catch (StripeProblem problem)
        {
            return new StripeFailure(problem.Code ?? "refund_failed", problem.Message) { Type = problem.Type };
        }
    }

    private static void RefuseUnavailable(ReaderRow reader)
    {
        if (reader.Status != "online")
        {
            throw StripeProblem.Invalid("Reader is currently offline, please ensure the reader is powered on and connected to the internet " +
                "before retrying your request.",
                null, "terminal_reader_offline");
        }

        if (reader.Busy)
        {
            throw StripeProblem.Invalid("Reader is currently busy processing another request, please reference the integration guide at " +
                "https://docs.stripe.com/terminal/payments/collect-card-payment for details on how to handle this error.",
                null, "terminal_reader_busy");
        }
    }
}

using System.Text.Json.Nodes;

namespace Flex.Local.Simulators.Stripe;

/// <summary>Disputes of cards, and the late returns of bank debits, which Stripe reports as lost disputes.</summary>
internal sealed class Disputes(StripeWorld world)
{
    private StripeStore Store => world.Store;

    /// <summary>Opens the dispute that the charge's test method announces; nothing when the charge is disputed already.</summary>
    public void OpenAnnounced(string chargeId)
    {
        ChargeRow charge = Store.Charges.Get(chargeId);
        StripeTestMethod method = StripeTestMethods.Of(Store.PaymentMethods.Get(charge.PaymentMethod));
        if (!charge.Disputed && method.Dispute is { } reason)
        {
            Open(charge, reason, method.DisputeIsInquiry);
        }
    }

    public DisputeRow Open(ChargeRow charge, string reason, bool inquiry)
    {
        if (charge.Status != "succeeded" || charge.Disputed)
        {
            throw StripeProblem.Invalid($"Charge {charge.Id} cannot be disputed.");
        }

        bool bank = Store.PaymentMethods.Get(charge.PaymentMethod).Type == "us_bank_account";
        charge = Store.Charges.Put(charge with { Disputed = true });
        DisputeRow dispute = Store.Disputes.Put(new DisputeRow
        {
            Id = world.NewId("du"),
            Created = world.Seconds,
            Amount = charge.AmountCaptured - charge.AmountRefunded,
            Currency = charge.Currency,
            Charge = charge.Id,
            PaymentIntent = charge.PaymentIntent,
            Reason = reason,
            Status = bank ? "lost" : inquiry ? "warning_needs_response" : "needs_response",
        });
        world.Emit("charge.dispute.created", dispute);
        if (!inquiry)
        {
            world.Emit("charge.dispute.funds_withdrawn", dispute);
        }

        if (bank)
        {
            world.Emit("charge.dispute.closed", dispute);
        }

        return dispute;
    }

    /// <summary>Test mode decides by the text: <c>winning_evidence</c> wins, <c>losing_evidence</c> loses, else it is reviewed.</summary>
    public DisputeRow Answer(DisputeRow dispute, JsonObject? evidence, bool submit, Dictionary<string, string> metadata)
    {
        RefuseClosed(dispute);
        var merged = (JsonObject?)dispute.Evidence?.DeepClone() ?? [];
        foreach ((string name, JsonNode? value) in evidence ?? [])
        {
            merged[name] = value?.DeepClone();
        }

        DisputeRow after = Store.Disputes.Put(dispute with
        {
            Evidence = merged,
            Metadata = metadata,
            Status = submit ? "under_review" : dispute.Status,
            Submissions = dispute.Submissions + (submit ? 1 : 0),
        });
        world.EmitChange("charge.dispute.updated", dispute, after);
        return (submit ? (string?)merged["uncategorized_text"] : null) switch
        {
            "winning_evidence" => Close(after, won: true),
            "losing_evidence" => Close(after, won: false),
            _ => after,
        };
    }

    /// <summary>Ends the dispute: accepted by us and so lost, or decided by the bank.</summary>
    public DisputeRow Close(DisputeRow dispute, bool won)
    {
        RefuseClosed(dispute);
        bool inquiry = dispute.Status.StartsWith("warning", StringComparison.Ordinal);
        DisputeRow after = Store.Disputes.Put(dispute with { Status = inquiry ? "warning_closed" : won ? "won" : "lost" });
        if (won && !inquiry)
        {
            world.Emit("charge.dispute.funds_reinstated", after);
        }

        world.EmitChange("charge.dispute.closed", dispute, after);
        return after;
    }

    private static void RefuseClosed(DisputeRow dispute)
    {
        if (dispute.Status is "won" or "lost" or "warning_closed")
        {
            throw StripeProblem.Invalid("This dispute is already closed");
        }
    }
}

namespace Flex.Local.Simulators.Stripe;

/// <summary>Refunds, in part or in full, and those that fail later.</summary>
internal sealed class Refunds(StripeWorld world)
{
    private StripeStore Store => world.Store;

    public RefundRow Create(ChargeRow charge, long? amount, string? reason, Dictionary<string, string> metadata)
    {
        long left = charge.AmountCaptured - charge.AmountRefunded;
        if (charge.Status != "succeeded" || !charge.Captured)
        {
            throw StripeProblem.Invalid($"This PaymentIntent ({charge.PaymentIntent}) does not have a successful charge to refund.", "payment_intent");
        }

        if (charge.Disputed)
        {
            throw StripeProblem.Invalid($"Charge {charge.Id} has been charged back; cannot issue a refund.", null, "charge_disputed");
        }

        if (left == 0)
        {
            throw StripeProblem.Invalid($"Charge {charge.Id} has already been refunded.", null, "charge_already_refunded");
        }

        long refunded = amount ?? left;
        if (refunded < 1 || refunded > left)
        {
            throw StripeProblem.Invalid($"Refund amount ({refunded}) is greater than unrefunded amount on charge ({left})", "amount");
        }

        PaymentMethodRow method = Store.PaymentMethods.Get(charge.PaymentMethod);
        StripeRefundBehaviour behaviour = StripeTestMethods.Of(method).Refund;
        bool pending = method.Type == "us_bank_account" || behaviour == StripeRefundBehaviour.PendingThenSucceeds;
        RefundRow refund = Store.Refunds.Put(new RefundRow
        {
            Id = world.NewId(method.Type == "us_bank_account" ? "pyr" : "re"),
            Created = world.Seconds,
            Amount = refunded,
            Currency = charge.Currency,
            Charge = charge.Id,
            PaymentIntent = charge.PaymentIntent,
            Status = pending ? "pending" : "succeeded",
            Reason = reason,
            Metadata = metadata,
        });
        charge = Store.Charges.Put(charge with { AmountRefunded = charge.AmountRefunded + refunded });
        world.Emit("refund.created", refund);
        world.Emit("charge.refunded", charge);
        if (pending || behaviour == StripeRefundBehaviour.SucceedsThenFails)
        {
            world.Later(StripeWorkKinds.SettleRefund, refund.Id, world.Now + world.Options.RefundDelay);
        }

        return refund;
    }

    public void Settle(string refundId)
    {
        RefundRow refund = Store.Refunds.Get(refundId);
        ChargeRow charge = Store.Charges.Get(refund.Charge);
        if (StripeTestMethods.Of(Store.PaymentMethods.Get(charge.PaymentMethod)).Refund == StripeRefundBehaviour.SucceedsThenFails)
        {
            Fail(refund, "expired_or_canceled_card");
            return;
        }

        RefundRow after = Store.Refunds.Put(refund with { Status = "succeeded" });
        world.EmitChange("refund.updated", refund, after);
        world.EmitChange("charge.refund.updated", refund, after);
    }

    /// <summary>The money comes back: the charge counts as not refunded by this amount.</summary>
    public RefundRow Fail(RefundRow refund, string reason)
    {
        if (refund.Status is "failed" or "canceled")
        {
            throw StripeProblem.Invalid($"Refund {refund.Id} is {refund.Status}.");
        }

        ChargeRow charge = Store.Charges.Get(refund.Charge);
        Store.Charges.Put(charge with { AmountRefunded = charge.AmountRefunded - refund.Amount });
        RefundRow after = Store.Refunds.Put(refund with { Status = "failed", FailureReason = reason });
        world.EmitChange("refund.updated", refund, after);
        world.EmitChange("charge.refund.updated", refund, after);
        world.Emit("refund.failed", after);
        return after;
    }
}

using Flex.Platform.Http;
using Flex.Platform.Identity;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Flex.Members;

/// <summary>HTTP surface of customers and members.</summary>
public sealed class MembersFunctions(SaveCustomerHandler saveCustomer, CreateMemberHandler createMember, MemberReader reader)
{
    [Function("Customers_Create"), Allow(Role.Staff)]
    [Operation("Add a customer", Body = typeof(CustomerRequest), Response = typeof(CustomerView), Status = 201, IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> CreateCustomer(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/customers")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<CustomerRequest, CustomerView>(
            saveCustomer.CreateAsync, Respond.Created<CustomerView>(c => $"/api/v1/customers/{c.Id}"), cancellation);

    [Function("Customers_List"), Allow(Role.Staff)]
    [Operation("List the customers", Query = typeof(NoQuery), Response = typeof(PageOf<CustomerView>))]
    public Task<IResult> ListCustomers(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/customers")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<NoQuery, CustomerView>(reader.ListCustomersAsync, cancellation);

    [Function("Customers_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read a customer", Response = typeof(CustomerView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetCustomer(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/customers/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<CustomerId, CustomerView>(id, reader.GetCustomerAsync, cancellation);

    [Function("Customers_Edit"), Allow(Role.Staff)]
    [Operation("Change a customer", Body = typeof(CustomerRequest), Response = typeof(CustomerView), IfMatch = Need.Required,
        Errors = [ErrorCodes.NotFound, ErrorCodes.Stale])]
    public Task<IResult> EditCustomer(
        [HttpTrigger(AuthorizationLevel.Anonymous, "put", Route = "v1/customers/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.HandleAsync<CustomerId, CustomerRequest, CustomerView>(id, saveCustomer.EditAsync, cancellation);

    [Function("Members_Create"), Allow(Role.Staff)]
    [Operation("Add a member", Body = typeof(CreateMemberRequest), Response = typeof(MemberView), Status = 201, IdempotencyKey = Need.Optional,
        Errors = [ErrorCodes.UnknownReference, ErrorCodes.IdempotencyKeyReuse])]
    public Task<IResult> CreateMember(
        [HttpTrigger(AuthorizationLevel.Anonymous, "post", Route = "v1/members")] HttpRequest request, CancellationToken cancellation) =>
        request.HandleAsync<CreateMemberRequest, MemberView>(
            createMember.HandleAsync, Respond.Created<MemberView>(m => $"/api/v1/members/{m.Id}"), cancellation);

    [Function("Members_List"), Allow(Role.Staff)]
    [Operation("List the members", Query = typeof(MemberFilter), Response = typeof(PageOf<MemberView>))]
    public Task<IResult> ListMembers(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/members")] HttpRequest request, CancellationToken cancellation) =>
        request.ListAsync<MemberFilter, MemberView>(reader.ListMembersAsync, cancellation);

    [Function("Members_Get"), Allow(Role.Staff, Role.Member)]
    [Operation("Read a member", Response = typeof(MemberView), Errors = [ErrorCodes.NotFound])]
    public Task<IResult> GetMember(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "v1/members/{id}")] HttpRequest request, string id, CancellationToken cancellation) =>
        request.GetAsync<MemberId, MemberView>(id, reader.GetMemberAsync, cancellation);
}
